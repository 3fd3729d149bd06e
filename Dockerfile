# tobs in a container.
#   docker build -t tobs .
#   docker run --rm -it --env-file .env -v tobs-home:/home/tobs/account -v ~/Vault:/vault tobs login
#   docker run --rm -it --env-file .env -v tobs-home:/home/tobs/account -v ~/Vault:/vault tobs export @channel
# The vault's folder must be writable for user id 1000 (or give --user). Dates get the zone in TOBS_TIMEZONE, else UTC.
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY tobs ./tobs
COPY plugins ./plugins
COPY templates ./templates
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.13-slim
RUN useradd --create-home --uid 1000 tobs \
 && install --directory --owner tobs --mode 700 /home/tobs/account \
 && install --directory --owner tobs /vault
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir "$(echo /wheels/*.whl)[media,lock]"
USER tobs
WORKDIR /home/tobs
# Not ~/.tobs: a folder of that name marks its parent as a vault.
ENV TOBS_HOME=/home/tobs/account TOBS_VAULT=/vault
VOLUME ["/vault", "/home/tobs/account"]
ENTRYPOINT ["tobs"]
CMD ["--help"]
