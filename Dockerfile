FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --locked --profile dist

FROM debian:bookworm-slim
COPY --from=build /src/target/dist/mandate /usr/local/bin/mandate
USER 10001:10001
ENTRYPOINT ["mandate"]
CMD ["serve"]
