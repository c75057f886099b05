# provkg as a service: docker build -t provkg . ; docker run --read-only --tmpfs /tmp -p 7333:7333 -v STORE:/store:ro provkg
FROM python:3.12-slim AS build
COPY . /source
RUN python -m venv /provkg && /provkg/bin/pip install --no-cache-dir "/source[all]"

FROM python:3.12-slim
RUN apt-get update && apt-get install -y --no-install-recommends graphviz && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 7333 --no-create-home provkg \
    && install -d -o provkg /store
COPY --from=build /provkg /provkg
ENV PATH=/provkg/bin:$PATH PYTHONDONTWRITEBYTECODE=1 HOME=/tmp PROVKG_STORE=/store/graph
USER 7333
EXPOSE 7333
HEALTHCHECK --interval=30s CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:7333/-/health', timeout=5)"]
ENTRYPOINT ["provkg"]
CMD ["serve", "--host", "0.0.0.0"]
