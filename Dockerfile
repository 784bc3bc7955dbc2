# coinlog in an image: the page, the recorder and every other command. docs/image.md tells how to
# use it. Nothing here is of one architecture. A release gives its base by digest:
# --build-arg BASE_IMAGE=python:3.13-slim@sha256:...
ARG BASE_IMAGE=python:3.13-slim

FROM ${BASE_IMAGE} AS build
# Each tool looks for certificates at a place of its own: they all get the system's, where those of
# an organisation's proxy are too, whether they come with the base or are mounted while building.
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt \
    UV_LINK_MODE=copy \
    UV_PYTHON_DOWNLOADS=never
WORKDIR /build

COPY requirements-uv.lock requirements-build.lock ./
COPY scripts/find_uv.sh scripts/setup_environment.sh scripts/
RUN scripts/setup_environment.sh requirements-build.lock

# What changes rarely comes first: a change of the program builds only what is below.
COPY requirements-aws.lock ./
RUN uv="$(scripts/find_uv.sh)" \
    && "$uv" venv --quiet --no-project --python python3 /opt/coinlog \
    && "$uv" pip install --quiet --python /opt/coinlog --require-hashes --compile-bytecode \
        --requirement requirements-aws.lock
# AWS's library describes 400 services, which are as large as all of Python's standard library: keep
# those that are asked for by name, and those by which credentials are found.
RUN find /opt/coinlog/lib/python3*/site-packages/botocore/data -mindepth 1 -maxdepth 1 -type d \
    ! -name rds ! -name secretsmanager ! -name signin ! -name sns ! -name ssm ! -name sso \
    ! -name sso-oidc ! -name sts -exec rm -r {} +

COPY frontend/package.json frontend/package-lock.json frontend/.npmrc frontend/
RUN .venv/bin/npm --prefix frontend ci --omit=dev

COPY scripts/build_frontend.py scripts/build_rds_authority.py scripts/
COPY frontend frontend
RUN mkdir -p src/coinlog/web src/coinlog/aws \
    && .venv/bin/python scripts/build_frontend.py \
    && .venv/bin/python scripts/build_rds_authority.py

COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN .venv/bin/python -m hatchling build --target wheel \
    && "$(scripts/find_uv.sh)" pip install --quiet --python /opt/coinlog --no-deps \
        --compile-bytecode dist/*.whl

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="coinlog" \
      org.opencontainers.image.description="A logbook of the crypto market that you own" \
      org.opencontainers.image.licenses="MIT"
# A volume that is mounted here begins with this owner.
RUN install --directory --owner=10001 --group=10001 /data
COPY --from=build /opt/coinlog /opt/coinlog
# Fargate knows no tmpfs and gives what it mounts to root, unless the image says whose it is.
VOLUME /tmp
ENV PATH="/opt/coinlog/bin:${PATH}" \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    COINLOG_DATA=/data \
    COINLOG_HOST=0.0.0.0
WORKDIR /data
# A number, so that Kubernetes and others can see that it is not root.
USER 10001:10001
# Without a database, the page is that of an empty logbook instead of an error.
RUN ["coinlog", "migrate"]
EXPOSE 5000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-I", "-c", "import http.client, os; c = http.client.HTTPConnection('127.0.0.1', int(os.environ.get('COINLOG_PORT') or 5000), timeout=4); c.request('GET', '/live'); raise SystemExit(c.getresponse().status != 200)"]
ENTRYPOINT ["coinlog"]
CMD ["serve"]
