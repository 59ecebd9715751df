#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "plan/import/paper_rules.h"
#include "plan/lint/shell_words.h"

namespace anclora::plan {
namespace {

Place at(std::uint32_t line) { return {line, 1}; }

template <class F>
bool any_command(const PaperPlan& paper, F&& satisfies) {
  for (const PaperProcedure& procedure : paper.procedures)
    for (const ShellCommand* command : procedure.script.commands())
      if (satisfies(*command)) return true;
  return false;
}

void judge_points(const PaperPlan& paper, Findings& findings) {
  for (const PaperObjective& objective : paper.recovery_points) {
    const std::string name = lower_case(objective.name);
    const std::string how = lower_case(objective.how);
    if (has_word(how, {"aof"}))
      add_error(findings, "objective.aof_is_no_backup", at(objective.line),
                "an AOF lies on the server's own disk: when the host or the region is lost it is lost too, and what is "
                "elsewhere is as old as the last copy",
                "capture the stream into a repository elsewhere");
    const std::string word = name.substr(0, std::min<std::size_t>(6, name.size()));
    const bool has_job = any_command(paper, [&](const ShellCommand& command) {
      return command.words.size() >= 6 && command.words[0].find_first_not_of("0123456789*/,-") == std::string::npos &&
             has_word(lower_case(command.text), {word});
    });
    if (!has_word(how, {"aof"}) && !has_job)
      add_error(findings, "objective.no_job", at(objective.line),
                fmt::format("no job in this plan makes the backups of \"{}\"", objective.name),
                "add a backup for it, or drop the objective");
  }
}

void judge_estimates(const PaperPlan& paper, Findings& findings) {
  for (const PaperSection& section : paper.sections)
    for (const PaperLine& line : section.prose) {
      const std::string low = lower_case(line.text);
      if (has_word(low, {"aof"}) && has_word(low, {"lost", "perd"}) && minutes_in(line.text))
        add_error(findings, "loss.guessed", at(line.number),
                  "with the AOF on a living disk it is about 2 seconds, without it as old as the last copy; never this",
                  "measure it: a beacon key, proof: beacon");
      if (has_word(low, {"notify customers", "notify team", "avisar", "notificar"}))
        add_warning(findings, "notify.no_channel", at(line.number),
                    "it is not said by which channel: the product itself is what failed",
                    "contacts with two channels that do not depend on it");
    }
}

void judge_copies(const PaperPlan& paper, Findings& findings) {
  std::set<std::string> layouts;
  std::uint32_t line = 0;
  bool region_copy = false;
  for (const PaperProcedure& procedure : paper.procedures)
    for (const ShellCommand* command : procedure.script.commands()) {
      region_copy = region_copy || has_word(command->text, {"object-lock", "replication-configuration", "s3 sync"});
      for (const std::string& word : command->words) {
        if (!word.starts_with("s3://") || word.find("/redis") == std::string::npos) continue;
        std::string folder = word.substr(0, word.find_last_of('/'));
        if (const auto date = folder.find("$("); date != std::string::npos) folder = folder.substr(0, date) + "DATE";
        if (layouts.insert(folder).second && layouts.size() > 1 && line == 0) line = command->line;
      }
    }
  if (layouts.size() > 1)
    add_error(
        findings, "backup.layouts", at(line),
        fmt::format("backups are looked for in {} different places, not all of which are ever written", layouts.size()),
        "one catalogue: a repository");
  if (!layouts.empty() && !region_copy && line != 0)
    add_warning(findings, "backup.one_copy", at(line),
                "no copy in another account or region, nothing that cannot be deleted, no checksums",
                "anclora mirror, with an immutable store");
  const bool encrypted = any_command(paper, [](const ShellCommand& command) {
    return has_word(lower_case(command.text), {"--sse", "kms", "gpg", "encrypt", "age -"});
  });
  if (!layouts.empty() && !encrypted && line != 0)
    add_warning(findings, "backup.not_encrypted", at(line),
                "nothing encrypts the copies, and it is not said who keeps the key",
                "anclora init asks for a passphrase and gives a recovery key");
  for (const PaperContact& contact : paper.contacts)
    if (has_word(lower_case(contact.role), {"evolution"}) && !any_command(paper, [](const ShellCommand& command) {
          return has_word(lower_case(command.text), {"postgres", "pg_dump"});
        }))
      add_warning(findings, "backup.sessions_missing", at(contact.line),
                  "a self-hosted Evolution API keeps its sessions in Postgres, which nothing backs up",
                  "add it as a target of kind database, with a backup");
}

// What must be in the other region before the disaster, or the move there cannot work.
void judge_other_region(const PaperPlan& paper, Findings& findings) {
  const auto prepared = [&](std::initializer_list<std::string_view> words) {
    return any_command(paper, [&](const ShellCommand& command) { return has_word(lower_case(command.text), words); });
  };
  for (const PaperProcedure& scenario : paper.procedures) {
    if (!scenario.scenario || scenario.topic != Topic::kRegion) continue;
    if (!prepared({"replicate-secret", "add-replica-regions", "replicate-key"}))
      add_warning(findings, "region.settings_not_copied", at(scenario.section->line),
                  "nothing copies parameters, secrets and keys to the other region: the service cannot start there",
                  "replicate them beforehand, and compare them every half hour");
    if (!prepared({"capacity-reservation", "capacity-provider", "service-quotas"}))
      add_warning(findings, "region.no_capacity", at(scenario.section->line),
                  "no capacity is reserved in the other region, where everybody goes at the same moment",
                  "reserve it, or keep a part of the service running there");
  }
}

// Numbers and addresses that nobody tries are wrong on the day.
void judge_reachability(const PaperPlan& paper, Findings& findings) {
  if (paper.contacts.empty()) return;
  const bool tried = std::ranges::any_of(paper.drills, [](const PaperDrill& drill) {
    return has_word(lower_case(drill.what), {"contact", "call", "phone", "llamada", "telef"});
  });
  if (!tried)
    add_warning(findings, "contact.never_tried", at(paper.contacts.front().line),
                "nobody ever tries whether these people can be reached", "monthly: anclora plan test-contacts");
}

void judge_address(const PaperContact& contact, const std::string& address, Findings& findings) {
  const std::string host = host_of(address);
  if (host.empty()) return;
  if (is_reserved_domain(host))
    add_warning(findings, "contact.placeholder", at(contact.line), fmt::format("nobody is behind {}", host),
                "write the real one");
  else if (!has_known_tld(host))
    add_error(findings, "contact.unknown_domain", at(contact.line),
              fmt::format("\"{}\": .{} is no top-level domain", address, host.substr(host.rfind('.') + 1)),
              "check the address");
}

void judge_contacts(const PaperPlan& paper, Findings& findings) {
  for (const PaperContact& contact : paper.contacts) {
    if (is_placeholder(contact.name) || is_placeholder(contact.phone))
      add_warning(findings, "contact.placeholder", at(contact.line),
                  fmt::format("{}: name or telephone were never filled in", contact.role),
                  "write the real ones, and try them");
    if (looks_like_email(contact.phone))
      add_error(findings, "contact.email_as_phone", at(contact.line),
                fmt::format("the telephone of {} is an e-mail address", contact.role),
                "write a number, or say that there is none");
    if (has_word(lower_case(contact.role), {"aws"}) && !contact.phone.empty())
      add_warning(findings, "contact.no_such_line", at(contact.line),
                  "AWS support has no number to call in: it calls back from a case",
                  "write how a case is opened, and with which account");
    for (const std::string& address : {contact.phone, contact.email, contact.portal})
      judge_address(contact, address, findings);
  }
}

void judge_levels(const PaperPlan& paper, Findings& findings) {
  std::uint32_t rto = 0;
  for (const PaperObjective& objective : paper.recovery_times)
    if (objective.minutes > 0 && (rto == 0 || objective.minutes < rto)) rto = objective.minutes;
  for (std::size_t i = 0; i < paper.levels.size(); ++i) {
    const PaperLevel& level = paper.levels[i];
    if (level.unresolved && level.from && *level.unresolved != *level.from)
      add_error(findings, "escalation.contradiction", at(level.unresolved_line),
                fmt::format("\"{}\" is called after {} minutes here, and from {} on in line {}", level.who,
                            *level.unresolved, *level.from, level.line),
                "one time for each level: after and acknowledge_within");
    const auto starts = level.unresolved ? level.unresolved : level.from;
    if (i > 0 && rto > 0 && starts && *starts >= rto)
      add_error(findings, "escalation.after_rto", at(level.line),
                fmt::format("\"{}\" is called after {} minutes; the shortest RTO is {}", level.who, *starts, rto),
                "call earlier, or by the forecast: when: forecast_over_rto");
    if (!level.from && !level.unresolved)
      add_warning(findings, "escalation.no_time", at(level.line),
                  fmt::format("it is not said when \"{}\" is called", level.who),
                  "after, or when: elapsed_over_rto_max");
  }
}

std::string drill_word(Topic topic) {
  switch (topic) {
    case Topic::kRegion:
      return "region";
    case Topic::kRedis:
      return "redis";
    case Topic::kRegistry:
      return "registry";
    case Topic::kCorruption:
      return "corrupt";
    case Topic::kBreach:
      return "breach";
    case Topic::kOther:
      break;
  }
  return {};
}

void judge_drills(const PaperPlan& paper, Findings& findings) {
  for (const PaperProcedure& scenario : paper.procedures) {
    if (!scenario.scenario) continue;
    std::string word = drill_word(scenario.topic);
    if (word.empty()) word = slug(scenario.section->title, "?");
    if (std::ranges::none_of(paper.drills,
                             [&](const PaperDrill& drill) { return has_word(lower_case(drill.what), {word}); }))
      add_error(findings, "drill.never", at(scenario.section->line),
                fmt::format("\"{}\" is never rehearsed", scenario.section->title), "add a drill");
  }
  for (const PaperSection& section : paper.sections) {
    if (!has_word(section.path, {"test", "drill", "prueba", "simulacro"})) continue;
    for (const PaperCode& code : section.code)
      for (const PaperLine& line : code.lines) {
        const std::string low = lower_case(line.text);
        if (low.starts_with("#") && has_word(low, {"staging"}))
          add_warning(findings, "drill.staging_only", at(line.number),
                      "a drill in staging never touches production's backups",
                      "restore production's newest point into a sandbox: anclora drill run restore");
        if (has_word(low, {"measured", "medido"}) && has_word(low, {"___"}))
          add_warning(findings, "drill.no_pass_criterion", at(line.number),
                      "what is measured is compared with nothing: no drill can fail",
                      "a drill fails when an objective is missed");
      }
  }
}

}  // namespace

void judge_document(const PaperPlan& paper, Findings& findings) {
  judge_points(paper, findings);
  judge_estimates(paper, findings);
  judge_copies(paper, findings);
  judge_other_region(paper, findings);
  judge_contacts(paper, findings);
  judge_reachability(paper, findings);
  judge_levels(paper, findings);
  judge_drills(paper, findings);
}

}  // namespace anclora::plan
