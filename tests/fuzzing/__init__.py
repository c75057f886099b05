"""Fuzzing: what is thrown at readers, at what opens files, at the binder of questions and at the HTTP surface.

``python -m tests.fuzzing --minutes 60`` mutates the corpus of each target, guided by coverage (atheris); the suite
throws the corpus again, and some mutations of it (hypothesis).
"""
