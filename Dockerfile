# tobs in a container: docker run --rm -it -v ~/vault:/vault -v tobs-home:/home/tobs/.tobs tobs export @channel
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md ./
COPY tobs ./tobs
COPY plugins ./plugins
COPY templates ./templates
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.13-slim
RUN useradd --create-home --uid 1000 tobs
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir /wheels/*.whl && rm -rf /wheels
USER tobs
ENV TOBS_HOME=/home/tobs/.tobs TOBS_VAULT=/vault
RUN mkdir -m 700 /home/tobs/.tobs
VOLUME ["/vault", "/home/tobs/.tobs"]
ENTRYPOINT ["tobs"]
CMD ["--help"]
