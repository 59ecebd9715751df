#include <fmt/format.h>

#include <algorithm>

#include "plan/import/paper_rules.h"

namespace anclora::plan {
namespace {

constexpr auto kError = Severity::kError;
constexpr auto kWarning = Severity::kWarning;

bool curl(const CommandContext& c) { return c.command().is({"curl"}); }
bool posts(const CommandContext& c) { return curl(c) && (c.command().has("-d") || c.command().has("--data")); }

bool fails_on_error(const ShellCommand& command) {
  return std::ranges::any_of(command.words, [](const std::string& word) {
    return word == "--fail" || word == "--fail-with-body" ||
           (word.size() > 1 && word[0] == '-' && word[1] != '-' && word.find('f') != std::string::npos);
  });
}

bool is_script(const CommandContext& c) {
  return !c.command().words.empty() &&
         (c.command().words.front().starts_with("./") || c.command().words.front().starts_with("/")) &&
         c.command().words.front().ends_with(".sh");
}

// Five fields of time, then a command instead of a user.
bool is_cron_line(const ShellCommand& command) {
  if (command.words.size() < 6) return false;
  return std::all_of(command.words.begin(), command.words.begin() + 5, [](const std::string& word) {
    return word.find_first_not_of("0123456789*/,-") == std::string::npos;
  });
}

}  // namespace

std::vector<CommandRule> shell_rules() {
  return {
      {"curl.no_fail", kError, [](const CommandContext& c) { return curl(c) && !fails_on_error(c.command()); },
       "curl exits 0 on 503: this check always passes",
       "probe.http checks status, body and certificate, several times in a row"},
      {"curl.localhost", kError,
       [](const CommandContext& c) {
         return curl(c) && (c.command().contains("localhost") || c.command().contains("127.0.0.1"));
       },
       "localhost is the machine of whoever types this, not the service", "name the service's own address"},
      {"curl.form_not_json", kError,
       [](const CommandContext& c) { return posts(c) && !has_word(lower_case(c.command().text), {"content-type"}); },
       "-d sends a form, not JSON: the service refuses it", "queue.canary sends what the service takes"},
      {"queue.real_job", kError,
       [](const CommandContext& c) {
         return posts(c) && has_word(lower_case(c.command().text), {"queue", "job", "message"});
       },
       "a real job is put into the production queue, and nothing sees it consumed",
       "queue.canary: a job of no effect that must be consumed"},
      {"shell.secret_on_command_line", kWarning,
       [](const CommandContext& c) {
         return has_word(lower_case(c.command().text),
                         {"$api_key", "${api_key", "$password", "$token", "$secret", "--password "});
       },
       "a secret on the command line is seen by every user of the machine and kept in the history",
       "secrets by reference: env:NAME or file:/path"},
      {"shell.pipe_into_shell", kError,
       [](const CommandContext& c) {
         const auto& words = c.command().words;
         return words.size() > 2 && words[words.size() - 2] == "|" && (words.back() == "bash" || words.back() == "sh");
       },
       "text is executed: a value with a quote in it breaks the script or runs as a command; types and keys are lost",
       "config.restore shows the difference and puts each value by itself"},
      {"docker.stop_kills", kWarning,
       [](const CommandContext& c) { return c.command().is({"docker-compose", "stop"}); },
       "after 10 s the container is killed, and docker-compose v1 is retired", "service.stop with a grace that fits"},
      {"smoke.from_a_laptop", kWarning, [](const CommandContext& c) { return c.command().is({"npm", "run"}); },
       "it needs the sources, Node and the network where it is typed",
       "exec with an allow-list, or probe.http and queue.canary"},
      {"validate.no_baseline", kWarning,
       [](const CommandContext& c) {
         return (c.command().is({"node"}) || c.command().is({"python3"})) &&
                has_word(lower_case(c.command().text), {"valid", "check"});
       },
       "the script is not part of the plan, and is given nothing to compare with",
       "invariants: probe.keyspace with counts and tolerances"},
      {"script.not_in_plan", kError, [](const CommandContext& c) { return is_script(c); },
       "the script is not part of the plan: what it does, in which order, and whether it can be undone is unknown",
       "write its steps into the plan"},
      {"cron.no_user", kError,
       [](const CommandContext& c) { return is_cron_line(c.command()) && has_word(c.command().words[5], {"/"}); },
       "a line of /etc/cron.d needs a user before the command: this job never runs",
       "put the user in, or let the engine schedule it"},
      {"file.not_in_plan", kWarning, [](const CommandContext& c) { return c.command().contains("file://"); },
       "the file is not part of the plan", "write what is in it"},
  };
}

void judge_commands(const PaperPlan& paper, Findings& findings) {
  std::vector<CommandRule> rules = redis_rules();
  for (const auto& part : {cloud_rules(), shell_rules()}) rules.insert(rules.end(), part.begin(), part.end());
  for (const PaperProcedure& procedure : paper.procedures) {
    const auto commands = procedure.script.commands();
    for (std::size_t i = 0; i < commands.size(); ++i) {
      const CommandContext context{procedure, commands, i};
      for (const CommandRule& rule : rules)
        if (rule.matches(context))
          findings.push_back({rule.code, rule.severity, {commands[i]->line, 1}, rule.message, rule.hint});
    }
  }
}

}  // namespace anclora::plan
