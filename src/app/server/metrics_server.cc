#include "app/server/metrics_server.h"

#include "app/server/bounded_http_server.h"

namespace anclora::app {
namespace {

class HttpMetricsServer final : public MetricsServer {
 public:
  explicit HttpMetricsServer(std::function<std::string()> render) {
    server_.Get("/metrics", [render = std::move(render)](const httplib::Request&, httplib::Response& response) {
      response.set_content(render(), "text/plain; version=0.0.4; charset=utf-8");
    });
    server_.Get("/healthz", [](const httplib::Request&, httplib::Response& response) {
      response.set_content("ok\n", "text/plain");
    });
  }

  Status listen(const Endpoint& address) { return server_.serve(address, "--metrics"); }
  std::uint16_t port() const override { return server_.bound_port(); }

 private:
  BoundedHttpServer server_{HttpBounds{.threads = 8, .largest_body = 1024}};
};

}  // namespace

Result<std::unique_ptr<MetricsServer>> MetricsServer::start(const Endpoint& address,
                                                            std::function<std::string()> render) {
  auto server = std::make_unique<HttpMetricsServer>(std::move(render));
  RETURN_IF_ERROR(server->listen(address));
  return std::unique_ptr<MetricsServer>(std::move(server));
}

}  // namespace anclora::app
