# Two targets: `docker build --target cpu .` and `docker build --target cuda .`
# The images hold the wheel, not the source.

FROM node:20-bookworm-slim AS pages
WORKDIR /src
COPY agent_assist/web/pages agent_assist/web/pages
RUN cd agent_assist/web/pages && npm ci --no-audit --no-fund && npm run build

FROM python:3.12-slim-bookworm AS wheel
WORKDIR /src
COPY requirements/run.txt requirements/run.txt
COPY pyproject.toml README.md LICENSE CHANGELOG.md ./
COPY stream stream
COPY audio audio
COPY models models
COPY agent_assist agent_assist
COPY --from=pages /src/agent_assist/web/static agent_assist/web/static
RUN python -m venv /opt/warmline \
 && /opt/warmline/bin/pip install --no-cache-dir --require-hashes -r requirements/run.txt \
 && /opt/warmline/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /dist . \
 && /opt/warmline/bin/pip install --no-cache-dir --no-deps /dist/*.whl

FROM python:3.12-slim-bookworm AS cpu
ENV PATH=/opt/warmline/bin:$PATH \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1 \
    WARMLINE_HOME=/var/lib/warmline \
    WARMLINE_HOST=0.0.0.0
RUN useradd --system --create-home --home-dir /var/lib/warmline warmline
COPY --from=wheel /opt/warmline /opt/warmline
USER warmline
VOLUME /var/lib/warmline
EXPOSE 8700 8701
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8700/readyz', timeout=2)"]
ENTRYPOINT ["warmline"]
CMD ["up"]

FROM nvidia/cuda:12.6.3-cudnn-runtime-ubuntu24.04 AS cuda
ENV PATH=/opt/warmline/bin:$PATH \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1 \
    WARMLINE_HOME=/var/lib/warmline \
    WARMLINE_HOST=0.0.0.0 \
    WARMLINE_DEVICE=cuda
RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-venv && rm -rf /var/lib/apt/lists/* \
 && useradd --system --create-home --home-dir /var/lib/warmline warmline
COPY requirements/run.txt /tmp/run.txt
COPY --from=wheel /dist /tmp/dist
RUN python3 -m venv /opt/warmline \
 && /opt/warmline/bin/pip install --no-cache-dir --require-hashes -r /tmp/run.txt \
 && /opt/warmline/bin/pip install --no-cache-dir --no-deps /tmp/dist/*.whl && rm -rf /tmp/dist /tmp/run.txt
USER warmline
VOLUME /var/lib/warmline
EXPOSE 8700 8701
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
  CMD ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8700/readyz', timeout=2)"]
ENTRYPOINT ["warmline"]
CMD ["up"]
