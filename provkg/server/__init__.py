"""A read-only service over HTTP: SPARQL, Linked Data, questions, ProvSAP, and pages for people."""
