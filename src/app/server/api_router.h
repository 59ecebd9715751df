// The HTTP API of `serve` without HTTP: who may ask, what each path means. docs/api.md.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "respond/detect/signal.h"

namespace anclora::app {

struct ApiRequest {
  std::string method, path, body, host;
  respond::SignalHeaders headers;
};

struct ApiReply {
  int status = 200;
  std::string body;
  std::string type = "application/json";
};

// What a person asks of a run, an incident or a rule; `what`: approve, refuse, skip, done, retry, undo, abort; ack,
// note; release.
struct ApiDecision {
  std::string what, id, step, contact, text;
};

// What stands behind the API. Each answer is JSON. Thread rule: any thread.
class ServedApi {
 public:
  virtual ~ServedApi() = default;
  virtual bool healthy() = 0;
  virtual std::string metrics() = 0;
  virtual Result<std::string> status() = 0;
  virtual Result<std::string> probes() = 0;
  virtual Result<std::string> verdicts() = 0;
  virtual Result<std::string> incidents() = 0;
  virtual Result<std::string> incident(const std::string& id) = 0;
  virtual Result<std::string> runs() = 0;
  virtual Result<std::string> run(const std::string& id) = 0;
  virtual Result<std::string> drills() = 0;
  virtual Result<std::string> start(const std::string& scenario, const std::string& contact) = 0;
  virtual Result<std::string> decide_run(const ApiDecision& decision) = 0;
  virtual Result<std::string> decide_incident(const ApiDecision& decision) = 0;
  virtual Result<std::string> release(const ApiDecision& decision) = 0;
  virtual Result<std::string> report(const std::string& body) = 0;  // readings of another observer
  virtual Result<std::string> alerts(const std::string& body) = 0;
};

// A line of the token file: "TOKEN", whose holder names any contact, or "CONTACT:TOKEN", whose holder is that contact.
struct ApiToken {
  std::string contact;
  Secret token;
};
// kInvalidArgument: empty, a token of less than 16 characters, too many lines.
Result<std::vector<ApiToken>> parse_tokens(std::string_view text);

struct ApiRules {
  std::vector<ApiToken> tokens;          // none: nothing but /health and what is open
  Secret alert_secret;                   // empty: no alerts are taken
  bool metrics_are_open = true;          // false: with a token only
  std::vector<std::string> known_hosts;  // what Host may say, without port, in lower case
};

// Never throws. Refuses a wrong Host (403), a missing or wrong token (401), what is no path (404), a wrong method
// (405).
ApiReply answer(ServedApi& api, const ApiRules& rules, const ApiRequest& request);

// The answer to what is refused before it comes to that: a request that cannot be read (400), a method that HTTP lacks
// or a path that is none (404), a body (413) or an address (414) that is too long.
ApiReply refused_request(int status);

}  // namespace anclora::app
