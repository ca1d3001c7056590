# The image holds one static binary, the certificate authorities, an empty state directory and nothing that could be
# logged in to. Zone information is inside the binary. Run it read-only:
#
#   docker run --read-only --cap-drop ALL --security-opt no-new-privileges \
#     --tmpfs /run/rotad:uid=65532,gid=65532,mode=0750 \
#     -v rotad-state:/var/lib/rotad -v "$PWD/config.yaml:/etc/rotad/config.yaml:ro" rotad

FROM golang:1.26.8 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# Which release this is; "make image" says it.
ARG VERSION=
ARG COMMIT=
RUN make image-root OUT=/out VERSION="$VERSION" COMMIT="$COMMIT"

FROM scratch
COPY --from=build /out/files/ /
COPY --from=build --chown=65532:65532 /out/own/ /
USER 65532:65532
ENV ROTAD_CONFIG=/etc/rotad/config.yaml
VOLUME ["/var/lib/rotad"]
# Metrics and health. They listen on the loopback until listen.metrics says otherwise.
EXPOSE 9847
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["/rotad", "health"]
ENTRYPOINT ["/rotad"]
CMD ["run"]
