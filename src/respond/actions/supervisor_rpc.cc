#include "respond/actions/supervisor_rpc.h"

#include <fmt/format.h>

#include <cstdlib>
#include <utility>

#include "storage/store/sigv4.h"
#include "storage/store/xml_reader.h"

namespace anclora::respond {
namespace {

using storage::XmlElement;

constexpr std::string_view kAtOnce = "<boolean>0</boolean>";  // the argument `wait`
constexpr int kUnauthorized = 401;
constexpr int kOk = 200;

storage::HttpOptions options_for(const SupervisorAddress& address, Duration longest) {
  storage::HttpOptions options;
  options.connect_timeout = options.total_timeout = options.stall_timeout = longest;
  options.slowest_bytes_per_second = storage::HttpRequest{}.response_limit_bytes * 1000;  // adds nothing to `longest`
  options.socket_path = address.socket();
  options.use_proxy = false;
  return options;
}

std::string in_xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '&')
      out += "&amp;";
    else
      out += c;
  }
  return out;
}

// <value><string>x</string></value>, <value><int>1</int></value>, or <value>x</value>.
std::string text_of(const XmlElement* value) {
  if (value == nullptr) return {};
  return value->children.empty() ? value->text : value->children.front().text;
}

std::string member(const XmlElement& structure, std::string_view name) {
  for (const XmlElement& each : structure.children)
    if (each.child_text("name") == name) return text_of(each.child("value"));
  return {};
}

// The element at the end of a path of first children of those names; nullptr where there is none.
const XmlElement* descend(const XmlElement& from, std::initializer_list<std::string_view> path) {
  const XmlElement* at = &from;
  for (const std::string_view name : path)
    if (at != nullptr) at = at->child(name);
  return at;
}

}  // namespace

struct SupervisorRpc::Answer {
  std::optional<SupervisorFault> fault;
  XmlElement root;
};

SupervisorRpc::SupervisorRpc(SupervisorAddress address, Duration longest)
    : address_(std::move(address)), client_(options_for(address_, longest)) {}

Result<SupervisorRpc::Answer> SupervisorRpc::call(std::string_view method, const std::string& parameters) {
  const std::string text = fmt::format(
      "<?xml version='1.0'?>\n<methodCall><methodName>supervisor.{}</methodName><params>{}</params></methodCall>\n",
      method, parameters);
  const storage::MemoryBody body{text};
  const bool socket = !address_.socket().empty();
  storage::HttpRequest request{.method = "POST",
                               .url = (socket ? std::string("http://localhost") : address_.server) + "/RPC2",
                               .headers = {{"content-type", "text/xml"}},
                               .body = &body};
  if (!address_.user.empty())
    request.headers.emplace_back("authorization",
                                 "Basic " + storage::base64(address_.user + ":" + address_.password.reveal()));
  auto response = client_.send(request);
  const std::string place = "supervisord at " + address_.server;
  if (!response) return response.error().with_context(place);
  if (response->status == kUnauthorized)
    return Error(ErrorKind::kUnauthenticated, place + " refuses the user and the password",
                 "they are read from [supervisorctl] of its configuration file: name it in the target's config");
  if (response->status != kOk)
    return Error(ErrorKind::kDataLoss, fmt::format("{} answers with HTTP status {}", place, response->status),
                 "is it supervisord, with [rpcinterface:supervisor] in its configuration?");
  auto root = storage::parse_xml(response->body);
  if (!root) return root.error().with_context(place);
  Answer answer{std::nullopt, std::move(*root)};
  if (const XmlElement* fault = descend(answer.root, {"fault", "value", "struct"}); fault != nullptr)
    answer.fault = SupervisorFault{std::atoi(member(*fault, "faultCode").c_str()), member(*fault, "faultString")};
  return answer;
}

Result<std::vector<SupervisedProcess>> SupervisorRpc::processes() {
  ASSIGN_OR_RETURN(const Answer answer, call("getAllProcessInfo", ""));
  if (answer.fault)
    return Error(ErrorKind::kUnavailable, fmt::format("supervisord at {}: {}", address_.server, answer.fault->text));
  const XmlElement* list = descend(answer.root, {"params", "param", "value", "array", "data"});
  if (list == nullptr)
    return Error(ErrorKind::kDataLoss, fmt::format("supervisord at {} answers without a list", address_.server));
  std::vector<SupervisedProcess> processes;
  for (const XmlElement& value : list->children) {
    const XmlElement* info = value.child("struct");
    if (info == nullptr) continue;
    SupervisedProcess process{member(*info, "name"), member(*info, "group"), member(*info, "statename")};
    if (process.name != process.group) process.name = process.group + ":" + process.name;
    processes.push_back(std::move(process));
  }
  return processes;
}

Result<std::optional<SupervisorFault>> SupervisorRpc::ask(std::string_view method, std::string_view process,
                                                          std::string_view second) {
  ASSIGN_OR_RETURN(
      const Answer answer,
      call(method, fmt::format("<param><value><string>{}</string></value></param><param><value>{}</value></param>",
                               in_xml(process), second)));
  return answer.fault;
}

Result<std::optional<SupervisorFault>> SupervisorRpc::stop(std::string_view process) {
  return ask("stopProcess", process, kAtOnce);
}

Result<std::optional<SupervisorFault>> SupervisorRpc::start(std::string_view process) {
  return ask("startProcess", process, kAtOnce);
}

Result<std::optional<SupervisorFault>> SupervisorRpc::kill(std::string_view process) {
  return ask("signalProcess", process, "<string>KILL</string>");
}

}  // namespace anclora::respond
