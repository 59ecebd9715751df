#include "app/server/metrics_server.h"

#include <httplib.h>

#include <thread>

namespace anclora::app {
namespace {

class HttpMetricsServer final : public MetricsServer {
 public:
  explicit HttpMetricsServer(std::function<std::string()> render) {
    server_.new_task_queue = [] { return new httplib::ThreadPool(2); };  // the library takes ownership
    server_.set_payload_max_length(1024);
    server_.set_read_timeout(std::chrono::seconds(5));
    server_.Get("/metrics", [render = std::move(render)](const httplib::Request&, httplib::Response& response) {
      response.set_content(render(), "text/plain; version=0.0.4; charset=utf-8");
    });
    server_.Get("/healthz", [](const httplib::Request&, httplib::Response& response) {
      response.set_content("ok\n", "text/plain");
    });
  }
  ~HttpMetricsServer() override {
    server_.stop();
    if (thread_.joinable()) thread_.join();
  }

  Status listen(const Endpoint& address) {
    const int port = address.port == 0 ? server_.bind_to_any_port(address.host)
                                       : (server_.bind_to_port(address.host, address.port) ? address.port : -1);
    if (port < 0)
      return Error(ErrorKind::kAlreadyExists, "cannot listen for metrics on " + address.to_string(),
                   "is the port taken? choose another with --metrics");
    port_ = static_cast<std::uint16_t>(port);
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    return {};
  }
  std::uint16_t port() const override { return port_; }

 private:
  httplib::Server server_;
  std::thread thread_;
  std::uint16_t port_ = 0;
};

}  // namespace

Result<std::unique_ptr<MetricsServer>> MetricsServer::start(const Endpoint& address,
                                                            std::function<std::string()> render) {
  auto server = std::make_unique<HttpMetricsServer>(std::move(render));
  RETURN_IF_ERROR(server->listen(address));
  return std::unique_ptr<MetricsServer>(std::move(server));
}

}  // namespace anclora::app
