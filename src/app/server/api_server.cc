#include "app/server/api_server.h"

#include <httplib.h>

#include <thread>

namespace anclora::app {
namespace {

constexpr std::size_t kLargestBody = 1 << 20;
constexpr std::size_t kThreads = 8;

class HttpApiServer final : public ApiServer {
 public:
  HttpApiServer(ServedApi& api, ApiRules rules) : api_{api}, rules_{std::move(rules)} {
    server_.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };  // the library takes ownership
    server_.set_payload_max_length(kLargestBody);
    server_.set_read_timeout(std::chrono::seconds(5));
    server_.set_write_timeout(std::chrono::seconds(5));
    server_.set_keep_alive_timeout(2);
    server_.set_keep_alive_max_count(20);
    const auto handle = [this](const httplib::Request& request, httplib::Response& response) {
      const ApiReply reply = answer(api_, rules_, to_api(request));
      response.status = reply.status;
      response.set_header("Cache-Control", "no-store");
      response.set_header("X-Content-Type-Options", "nosniff");
      response.set_content(reply.body, reply.type.c_str());
    };
    server_.Get(".*", handle);
    server_.Post(".*", handle);
  }
  ~HttpApiServer() override {
    server_.stop();
    if (thread_.joinable()) thread_.join();
  }

  Status listen(const Endpoint& address) {
    const int port = address.port == 0 ? server_.bind_to_any_port(address.host.c_str())
                     : server_.bind_to_port(address.host.c_str(), address.port) ? address.port
                                                                                : -1;
    if (port < 0)
      return Error(ErrorKind::kAlreadyExists, "cannot listen on " + address.to_string(),
                   "is the port taken? choose another with --listen");
    port_ = static_cast<std::uint16_t>(port);
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    return {};
  }
  std::uint16_t port() const override { return port_; }

 private:
  static ApiRequest to_api(const httplib::Request& request) {
    return {request.method,
            request.path,
            request.body,
            request.get_header_value("Host"),
            {request.get_header_value("Authorization"), request.get_header_value("X-Anclora-Token"),
             request.get_header_value("Sentry-Hook-Signature")}};
  }

  ServedApi& api_;
  const ApiRules rules_;
  httplib::Server server_;
  std::thread thread_;
  std::uint16_t port_ = 0;
};

}  // namespace

Result<std::unique_ptr<ApiServer>> ApiServer::start(const Endpoint& address, ServedApi& api, ApiRules rules) {
  auto server = std::make_unique<HttpApiServer>(api, std::move(rules));
  RETURN_IF_ERROR(server->listen(address));
  return std::unique_ptr<ApiServer>(std::move(server));
}

bool is_loopback(const std::string& host) { return host == "localhost" || host == "::1" || host.starts_with("127."); }

}  // namespace anclora::app
