#include "app/server/api_server.h"

#include "app/server/bounded_http_server.h"

namespace anclora::app {
namespace {

class HttpApiServer final : public ApiServer {
 public:
  HttpApiServer(ServedApi& api, ApiRules rules) : api_{api}, rules_{std::move(rules)} {
    const auto handle = [this](const httplib::Request& request, httplib::Response& response) {
      fill(response, answer(api_, rules_, to_api(request)));
    };
    server_.Get(".*", handle);
    server_.Post(".*", handle);
    server_.Put(".*", handle);
    server_.Patch(".*", handle);
    server_.Delete(".*", handle);
    // What the library refuses by itself.
    server_.set_error_handler([](const httplib::Request&, httplib::Response& response) {
      if (response.body.empty()) fill(response, refused_request(BoundedHttpServer::reason_of(response.status)));
    });
  }

  Status listen(const Endpoint& address) { return server_.serve(address, "--listen"); }
  std::uint16_t port() const override { return server_.bound_port(); }

 private:
  static void fill(httplib::Response& response, const ApiReply& reply) {
    response.status = reply.status;
    response.set_header("Cache-Control", "no-store");
    response.set_header("X-Content-Type-Options", "nosniff");
    response.set_content(reply.body, reply.type.c_str());
  }
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
  BoundedHttpServer server_{HttpBounds{}};  // last: its threads use the others
};

}  // namespace

Result<std::unique_ptr<ApiServer>> ApiServer::start(const Endpoint& address, ServedApi& api, ApiRules rules) {
  auto server = std::make_unique<HttpApiServer>(api, std::move(rules));
  RETURN_IF_ERROR(server->listen(address));
  return std::unique_ptr<ApiServer>(std::move(server));
}

bool is_loopback(const std::string& host) { return host == "localhost" || host == "::1" || host.starts_with("127."); }

}  // namespace anclora::app
