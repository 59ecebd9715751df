#include "app/server/api_router.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <optional>

namespace anclora::app {
namespace {

constexpr std::size_t kShortestToken = 16;
constexpr std::size_t kMostTokens = 100;
constexpr std::string_view kBearer = "Bearer ";

int status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalidArgument:
      return 400;
    case ErrorKind::kNotFound:
      return 404;
    case ErrorKind::kAlreadyExists:
    case ErrorKind::kFailedPrecondition:
    case ErrorKind::kFenced:
      return 409;
    case ErrorKind::kPermissionDenied:
      return 403;
    case ErrorKind::kUnauthenticated:
      return 401;
    case ErrorKind::kUnavailable:
      return 503;
    case ErrorKind::kDeadlineExceeded:
      return 504;
    case ErrorKind::kResourceExhausted:
      return 413;
    case ErrorKind::kUnsupported:
      return 501;
    default:
      return 500;
  }
}

ApiReply refuse(const Error& error, int status) {
  const nlohmann::ordered_json json = {{"error",
                                        {{"kind", to_string(error.kind())},
                                         {"message", error.message()},
                                         {"hint", error.hint()},
                                         {"exit_code", exit_code(error.kind())}}}};
  return {status, json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"};
}

ApiReply reply_of(const Result<std::string>& result) {
  if (!result) return refuse(result.error(), status_of(result.error().kind()));
  return {200, *result + "\n"};
}

// The name in a Host header, without its port, in lower case.
std::string host_name(std::string host) {
  const std::size_t bracket = host.rfind(']');
  const std::size_t colon = host.rfind(':');
  if (colon != std::string::npos && (bracket == std::string::npos || colon > bracket)) host.resize(colon);
  std::ranges::transform(host, host.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return host;
}

// Every token is compared, so that the time tells nothing about which.
const ApiToken* holder_of(const ApiRules& rules, const std::string& authorization) {
  const bool bearer = authorization.starts_with(kBearer);
  const Secret given(bearer ? authorization.substr(kBearer.size()) : std::string());
  const ApiToken* holder = nullptr;
  for (const ApiToken& known : rules.tokens)
    if (known.token.equals(given) && bearer) holder = &known;
  return holder;
}

std::vector<std::string> parts_of(const std::string& path) {
  std::vector<std::string> parts;
  std::size_t begin = 1;
  while (begin <= path.size()) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    parts.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// A small object of strings.
Result<std::map<std::string, std::string>> words_of(const std::string& body) {
  std::map<std::string, std::string> words;
  if (body.empty()) return words;
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object())
    return Error(ErrorKind::kInvalidArgument, "the body is no JSON object",
                 R"(such as {"as": "ada", "step": "switch"})");
  for (const auto& [key, value] : json.items()) {
    if (key != "as" && key != "step" && key != "text" && key != "scenario")
      return Error(ErrorKind::kInvalidArgument, "the body has a field that is not known",
                   "as, step, text and scenario are");
    if (!value.is_string()) return Error(ErrorKind::kInvalidArgument, "\"" + key + "\" is no text");
    words[key] = value.get<std::string>();
  }
  return words;
}

std::optional<Error> speaks_for_another(const ApiToken& holder, std::map<std::string, std::string>& words) {
  if (holder.contact.empty()) return std::nullopt;
  if (!words["as"].empty() && words["as"] != holder.contact)
    return Error(ErrorKind::kPermissionDenied, "this token is " + holder.contact + "'s: it cannot speak for another");
  words["as"] = holder.contact;
  return std::nullopt;
}

bool is_one_of(const std::string& word, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

ApiReply not_there() {
  return refuse(Error(ErrorKind::kNotFound, "there is no such path", "docs/api.md names them"), 404);
}

ApiReply read_only(ServedApi& api, const std::vector<std::string>& parts) {
  const std::string& what = parts[1];
  if (parts.size() == 2) {
    if (what == "status") return reply_of(api.status());
    if (what == "probes") return reply_of(api.probes());
    if (what == "verdicts") return reply_of(api.verdicts());
    if (what == "incidents") return reply_of(api.incidents());
    if (what == "runs") return reply_of(api.runs());
    if (what == "drills") return reply_of(api.drills());
  }
  if (parts.size() == 3 && what == "incidents") return reply_of(api.incident(parts[2]));
  if (parts.size() == 3 && what == "runs") return reply_of(api.run(parts[2]));
  return not_there();
}

ApiReply change(ServedApi& api, const std::vector<std::string>& parts, const ApiToken& holder,
                const std::string& body) {
  if (parts.size() == 2 && parts[1] == "readings") return reply_of(api.report(body));
  auto words = words_of(body);
  if (!words) return reply_of(words.error());
  if (const auto error = speaks_for_another(holder, *words)) return reply_of(*error);
  if (parts.size() == 2 && parts[1] == "runs") return reply_of(api.start((*words)["scenario"], (*words)["as"]));
  if (parts.size() != 4) return not_there();
  const ApiDecision decision{parts[3], parts[2], (*words)["step"], (*words)["as"], (*words)["text"]};
  if (parts[1] == "runs" && is_one_of(decision.what, {"approve", "refuse", "skip", "done", "retry", "undo", "abort"}))
    return reply_of(api.decide_run(decision));
  if (parts[1] == "incidents" && is_one_of(decision.what, {"ack", "note"}))
    return reply_of(api.decide_incident(decision));
  if (parts[1] == "rules" && decision.what == "release") return reply_of(api.release(decision));
  return not_there();
}

ApiReply metrics(ServedApi& api, const ApiRules& rules, const ApiRequest& request) {
  if (!rules.metrics_are_open && holder_of(rules, request.headers.authorization) == nullptr)
    return refuse(Error(ErrorKind::kUnauthenticated, "a token is needed", "Authorization: Bearer TOKEN"), 401);
  return {200, api.metrics(), "text/plain; version=0.0.4; charset=utf-8"};
}

}  // namespace

Result<std::vector<ApiToken>> parse_tokens(std::string_view text) {
  std::vector<ApiToken> tokens;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (line.empty() || line.front() == '#') continue;
    const std::size_t colon = line.find(':');
    ApiToken token;
    if (colon != std::string::npos) token.contact = line.substr(0, colon);
    token.token = Secret(colon == std::string::npos ? line : line.substr(colon + 1));
    if (token.token.reveal().size() < kShortestToken)
      return Error(ErrorKind::kInvalidArgument, "a token of the token file is shorter than 16 characters",
                   "make one: head -c 24 /dev/urandom | base64");
    tokens.push_back(std::move(token));
    if (tokens.size() > kMostTokens)
      return Error(ErrorKind::kInvalidArgument, "the token file has more than 100 tokens");
  }
  if (tokens.empty())
    return Error(ErrorKind::kInvalidArgument, "the token file holds no token",
                 "make one: head -c 24 /dev/urandom | base64");
  return tokens;
}

ApiReply refused_request(int status) {
  switch (status) {
    case 404:
      return not_there();
    case 411:
      return refuse(Error(ErrorKind::kInvalidArgument, "the request does not say how long its body is",
                          "send Content-Length, 0 where there is none: curl -d ''"),
                    status);
    case 413:
      return refuse(Error(ErrorKind::kResourceExhausted, "the body is longer than 1 MiB",
                          "send less at a time: of readings at most 100"),
                    status);
    case 414:
      return refuse(Error(ErrorKind::kInvalidArgument, "the address is too long", "docs/api.md names the paths"),
                    status);
    case 415:
      return refuse(Error(ErrorKind::kInvalidArgument, "the body is compressed", "send it as it is"), status);
    default:
      return refuse(Error(ErrorKind::kInvalidArgument, "this is no request that the API can read",
                          "docs/api.md shows how to ask"),
                    status);
  }
}

ApiReply answer(ServedApi& api, const ApiRules& rules, const ApiRequest& request) {
  // A page of a stranger that makes a browser ask us gives us the stranger's name.
  if (std::ranges::find(rules.known_hosts, host_name(request.host)) == rules.known_hosts.end())
    return refuse(Error(ErrorKind::kPermissionDenied, "this host name is not ours", "allow it with --allow-host"), 403);
  const bool get = request.method == "GET";
  if (get && request.path == "/health")
    return api.healthy() ? ApiReply{200, "ok\n", "text/plain"}
                         : ApiReply{503, "the detector stands still\n", "text/plain"};
  if (get && request.path == "/metrics") return metrics(api, rules, request);
  if (request.path == "/alerts") {
    if (request.method != "POST") return refuse(Error(ErrorKind::kInvalidArgument, "POST alerts here"), 405);
    if (!respond::signal_is_authentic(request.headers, request.body, rules.alert_secret))
      return refuse(Error(ErrorKind::kUnauthenticated, "the shared secret is missing or wrong",
                          "Authorization: Bearer SECRET, as in --alert-secret-file"),
                    401);
    return reply_of(api.alerts(request.body));
  }
  const std::vector<std::string> parts = parts_of(request.path);
  if (parts.size() < 2 || parts[0] != "api") return not_there();
  const ApiToken* holder = holder_of(rules, request.headers.authorization);
  if (holder == nullptr)
    return refuse(
        Error(ErrorKind::kUnauthenticated, "a token is needed", "Authorization: Bearer TOKEN, as in --token-file"),
        401);
  if (get) return read_only(api, parts);
  if (request.method == "POST") return change(api, parts, *holder, request.body);
  return refuse(Error(ErrorKind::kInvalidArgument, "this API takes GET and POST"), 405);
}

}  // namespace anclora::app
