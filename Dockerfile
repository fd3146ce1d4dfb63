# One image for gateway, worker and reporter: the command decides.
ARG BASE=python:3.12-slim-bookworm

FROM ${BASE} AS build
# More that is installed, by the names of lock files: EXTRAS="heic faces tracing sentry" adds the decoder of HEIC and
# the detector of faces (docs/formats.md), traces and reports of errors (docs/monitoring.md).
ARG EXTRAS=
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# Without a pip of its own: the pip of the base image installs into it.
RUN python -m venv --without-pip /opt/imageconverter
COPY requirements/runtime.txt requirements/heic.txt requirements/faces.txt requirements/tracing.txt requirements/sentry.txt /src/requirements/
RUN for set in runtime $EXTRAS; do \
      pip --python /opt/imageconverter/bin/python install --no-compile --require-hashes -r /src/requirements/$set.txt || exit 1; \
    done
COPY . /src
# The wheel is built with the locked build backend, which is then removed, like boto3's definitions of 400 other AWS
# services.
RUN pip --python /opt/imageconverter/bin/python wheel --no-deps --no-build-isolation --wheel-dir /wheel /src \
 && pip --python /opt/imageconverter/bin/python uninstall --yes \
      hatchling editables pathspec pluggy tomlkit trove-classifiers \
 && pip --python /opt/imageconverter/bin/python install --no-compile --no-deps --no-index /wheel/*.whl \
 && pip --python /opt/imageconverter/bin/python check \
 && find /opt/imageconverter/lib/python3*/site-packages/botocore/data -mindepth 1 -maxdepth 1 -type d ! -name s3 \
      -exec rm -r {} +
# The time of all files, in seconds since 1970: two builds have the same content.
ARG SOURCE_DATE_EPOCH=1580601600
RUN PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0 /opt/imageconverter/bin/python /src/docker/image_layers.py \
      /layers $SOURCE_DATE_EPOCH

FROM scratch
LABEL org.opencontainers.image.title="imageconverter" org.opencontainers.image.licenses="Apache-2.0"
# Three layers, so that a new version of the project is a small download.
COPY --from=build /layers/system /
COPY --from=build /layers/packages /
COPY --from=build /layers/project /
# 0.0.0.0, because the loopback of a container is not reachable from outside.
ENV PATH=/opt/imageconverter/bin:/usr/local/bin LANG=C.UTF-8 PYTHONUNBUFFERED=1 IMAGECONVERTER_HOST=0.0.0.0
# A number, so that Kubernetes can verify that it is not root. The user needs no name and no home.
USER 10001:10001
EXPOSE 8005
ENTRYPOINT ["imageconverter"]
