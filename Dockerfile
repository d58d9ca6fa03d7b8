# syntax=docker/dockerfile:1

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=""
RUN CGO_ENABLED=0 go build -tags production -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /out/waveadmin ./cmd/waveadmin \
 && mkdir -p /out/data

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/waveadmin /waveadmin
# A new volume takes over the owner of the directory that it hides.
COPY --from=build --chown=nonroot:nonroot --chmod=0700 /out/data /data
# Inside a container loopback is nobody else's: listen on all addresses, and keep
# the second listener unpublished.
ENV WAVEADMIN_SERVER_LISTEN=0.0.0.0:8080 \
    WAVEADMIN_SERVER_OPS_LISTEN=0.0.0.0:9090 \
    WAVEADMIN_DATABASE_URL=sqlite:/data/waveadmin.db
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=6s --start-period=10s \
  CMD ["/waveadmin", "healthcheck", "--config", "/etc/waveadmin/config.yaml"]
ENTRYPOINT ["/waveadmin"]
CMD ["serve", "--config", "/etc/waveadmin/config.yaml"]
