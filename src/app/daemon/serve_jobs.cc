#include "app/daemon/serve_jobs.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "plan/model/value_access.h"
#include "plan/schema/span.h"

namespace anclora::app {
namespace {

// How to open a repository target from another process.
struct Access {
  std::string url;
  std::vector<std::string> environment;
};

Result<Access> access_of(const plan::Target& target, const respond::PlanLookup& lookup) {
  Access access;
  ASSIGN_OR_RETURN(const Secret url, lookup.resolve(plan::text_of(target.settings, "url")));
  access.url = url.reveal();
  const std::string passphrase = plan::text_of(target.settings, "passphrase");
  const std::string file = plan::text_of(target.settings, "passphrase_file");
  if (file.starts_with("file:")) {
    access.environment.push_back("ANCLORA_PASSPHRASE_FILE=" + file.substr(5));
  } else if (!file.empty()) {
    ASSIGN_OR_RETURN(const Secret path, lookup.resolve(file));
    access.environment.push_back("ANCLORA_PASSPHRASE_FILE=" + path.reveal());
  } else if (!passphrase.empty()) {
    ASSIGN_OR_RETURN(const Secret value, lookup.resolve(passphrase));
    access.environment.push_back("ANCLORA_PASSPHRASE=" + value.reveal());
    access.environment.emplace_back("ANCLORA_PASSPHRASE_FILE=");  // ours is of another repository
  }
  return access;
}

ChildSpec spec_of(std::string name, std::vector<std::string> words, const Access& access) {
  ChildSpec spec;
  spec.name = std::move(name);
  spec.words = std::move(words);
  spec.words.insert(spec.words.end(), {"--repo", access.url});
  spec.environment = access.environment;
  return spec;
}

// The command line knows none of a plan's words: month, 0m.
std::string in_one_form(const std::string& span) {
  return plan::format_span(plan::parse_span(span).value_or(Duration()));
}

// As the plan's `keep` says; what it leaves out is not kept, but for every moment of an hour: a policy that keeps
// nothing is a mistake.
std::vector<std::string> keep_words(const std::vector<plan::Entry>& keep) {
  const std::vector<std::pair<std::string, std::string>> options = {{"every_moment", "--keep-every-moment"},
                                                                    {"hourly", "--keep-hourly"},
                                                                    {"daily", "--keep-daily"},
                                                                    {"weekly", "--keep-weekly"}};
  std::vector<std::string> words;
  for (const auto& [key, option] : options) {
    const auto entry = std::ranges::find(keep, key, &plan::Entry::key);
    words.push_back(option);
    words.push_back(entry != keep.end() ? in_one_form(entry->value.text) : key == "every_moment" ? "1h" : "0s");
  }
  return words;
}

bool is_captured(const plan::Backup& backup, const respond::PlanLookup& lookup) {
  return backup.continuous && lookup.target(backup.target).kind == "redis" &&
         lookup.target(backup.repository).kind == "repository";
}

Status fill(ServedBackup& served, const plan::Backup& backup, const respond::PlanLookup& lookup) {
  ASSIGN_OR_RETURN(const redis::RedisUrl source, respond::redis_url_of(lookup, lookup.target(served.target)));
  ASSIGN_OR_RETURN(const Access access, access_of(lookup.target(served.repository), lookup));
  const std::string name = served.target + " to " + served.repository;
  std::vector<std::string> words = {"capture", "--source", source.to_string(), "--name", served.source};
  if (source.tls)
    for (const auto& [option, value] :
         {std::pair<std::string, std::string>("--source-tls-ca-file", source.tls->ca_file),
          {"--source-tls-cert-file", source.tls->certificate_file},
          {"--source-tls-key-file", source.tls->key_file},
          {"--source-tls-server-name", source.tls->server_name}})
      if (!value.empty()) words.insert(words.end(), {option, value});
  served.capture = spec_of("capture " + name, std::move(words), access);
  served.capture.keep = true;
  if (!source.password.empty())
    served.capture.environment.push_back("ANCLORA_REDIS_PASSWORD=" + source.password.reveal());
  std::vector<std::string> expire = {"expire", "--name", served.source};
  for (std::string& word : keep_words(backup.keep)) expire.push_back(std::move(word));
  served.expire = spec_of("expire " + name, std::move(expire), access);
  served.status = spec_of("status " + name, {"status", "--json"}, access);
  return {};
}

Duration rpo_of(const plan::Plan& plan, const std::vector<std::string>& data) {
  Duration shortest{};
  for (const plan::DataObjective& objective : plan.data)
    if (std::ranges::find(data, objective.id) != data.end() && objective.rpo > Duration::zero() &&
        (shortest == Duration::zero() || objective.rpo < shortest))
      shortest = objective.rpo;
  return shortest;
}

}  // namespace

Result<ServeJobs> jobs_of(const plan::Plan& plan, const respond::PlanLookup& lookup) {
  ServeJobs jobs;
  std::map<std::pair<std::string, std::string>, std::vector<const plan::Backup*>> shared;
  std::map<std::string, std::size_t> sources;
  for (const plan::Backup& backup : plan.backups) {
    if (!is_captured(backup, lookup)) {
      jobs.left_out.push_back(
          fmt::format("backup {}: this version captures Redis servers only, continuously", backup.id));
      continue;
    }
    auto& group = shared[{backup.repository, backup.target}];
    if (group.empty()) ++sources[backup.repository];
    group.push_back(&backup);
  }
  for (const auto& [key, backups] : shared) {
    ServedBackup served;
    for (const plan::Backup* backup : backups) {
      served.backups.push_back(backup->id);
      served.data.push_back(backup->data);
    }
    served.repository = key.first;
    served.target = key.second;
    served.source = sources[key.first] == 1 ? "default" : key.second;
    served.rpo = rpo_of(plan, served.data);
    RETURN_IF_ERROR(fill(served, *backups.front(), lookup));
    jobs.backups.push_back(std::move(served));
  }
  for (const auto& [id, count] : sources) {
    ASSIGN_OR_RETURN(const Access access, access_of(lookup.target(id), lookup));
    jobs.repositories.push_back({id, spec_of("verify " + id, {"verify"}, access)});
  }
  return jobs;
}

DrillJob drill_job(const plan::Plan& plan, const respond::ScheduledDrill& drill, const ServeJobs& jobs) {
  DrillJob job;
  job.spec.name = "drill " + drill.id;
  if (drill.scenario == "restore") {
    if (jobs.backups.empty()) job.refusal = "no repository is served here";
    if (jobs.backups.empty()) return job;
    const ServedBackup& first = jobs.backups.front();
    job.spec.environment = first.status.environment;
    job.spec.words = {"drill", "run", "restore", "--name", first.source, "--repo", first.status.words.back()};
    if (first.rpo > Duration::zero())
      job.spec.words.insert(job.spec.words.end(), {"--rpo", plan::format_span(first.rpo)});
    return job;
  }
  const auto environment = std::ranges::find(plan.environments, drill.environment, &plan::Environment::id);
  if (environment == plan.environments.end() || !environment->sandbox) job.refusal = "it is not in a sandbox";
  job.spec.words = {"drill",           "run",   drill.scenario, "--plan",         plan.file, "--on",
                    drill.environment, "--yes", "--unattended", "--clean-within", "15s"};
  return job;
}

}  // namespace anclora::app
