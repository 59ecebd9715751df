FROM debian:12 AS build
WORKDIR /src
COPY scripts/install-dependencies scripts/install-dependencies
RUN scripts/install-dependencies "build package"
COPY . .
RUN scripts/build release anclora && cd build/release && cpack -G DEB && mv anclora_*.deb /anclora.deb

FROM debian:12-slim
COPY --from=build /anclora.deb /tmp/anclora.deb
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends /tmp/anclora.deb redis-server \
 && rm -rf /var/lib/apt/lists/* /tmp/anclora.deb \
 && useradd --system --uid 10001 --home-dir /var/lib/anclora --create-home anclora
ENV ANCLORA_STATE_DIR=/var/lib/anclora ANCLORA_PASSPHRASE_FILE=/run/secrets/passphrase
USER 10001
WORKDIR /var/lib/anclora
VOLUME /var/lib/anclora
ENTRYPOINT ["anclora"]
CMD ["--help"]
