#include <algorithm>

#include "plan/import/paper_rules.h"

namespace anclora::plan {
namespace {

constexpr auto kError = Severity::kError;
constexpr auto kWarning = Severity::kWarning;

bool aws(const CommandContext& c, std::string_view service, std::string_view action) {
  return c.command().is({"aws", service, action});
}
bool reads_s3(const CommandContext& c) {
  return aws(c, "s3", "cp") && c.command().words.size() > 3 && c.command().words[3].starts_with("s3://");
}
bool update_service(const CommandContext& c) { return aws(c, "ecs", "update-service"); }
std::string count(const CommandContext& c) {
  return update_service(c) ? c.command().option("--desired-count") : std::string();
}

bool has_placeholder_revision(const CommandContext& c) {
  const std::string definition = c.command().option("--task-definition");
  const auto colon = definition.find(':');
  if (colon == std::string::npos || colon + 1 == definition.size()) return false;
  return std::ranges::all_of(definition.substr(colon + 1), [](char x) { return (x >= 'A' && x <= 'Z') || x == '_'; });
}

// The number before .dkr.ecr.: twelve digits in truth.
bool has_short_account(const CommandContext& c) {
  const auto at = c.command().text.find(".dkr.ecr.");
  if (at == std::string::npos) return false;
  std::size_t digits = 0;
  while (digits < at && c.command().text[at - digits - 1] >= '0' && c.command().text[at - digits - 1] <= '9') ++digits;
  return digits != 12;
}

std::vector<CommandRule> storage_rules() {
  return {
      {"s3.mutable_latest", kError,
       [](const CommandContext& c) { return reads_s3(c) && c.command().words[3].find("latest") != std::string::npos; },
       "\"latest\" is whatever was written last, of unknown age and wholeness",
       "choose the newest verified point: recovery_point.select with max_age"},
      {"s3.date_in_path", kError, [](const CommandContext& c) { return reads_s3(c) && c.command().contains("$(date"); },
       "a path made from today's date is empty after midnight, and local and UTC dates differ",
       "choose by a catalogue: recovery_point.select"},
      {"s3.fixed_date", kWarning,
       [](const CommandContext& c) {
         return reads_s3(c) && has_word(c.command().words[3], {"/20"}) && !c.command().contains("$(");
       },
       "the date of one backup is written into the procedure",
       "choose by a catalogue: recovery_point.select or recovery_point.bisect"},
      {"s3.no_checksum", kWarning, reads_s3, "nothing checks what was downloaded",
       "verify a checksum and the file: anclora rdb check, or restore from a repository"},
      {"s3.glob", kError,
       [](const CommandContext& c) {
         return aws(c, "s3", "cp") && c.command().words.size() > 3 &&
                c.command().words[3].find('*') != std::string::npos;
       },
       "from the second use on the pattern matches two files, and the command fails",
       "name one file; put the run's id into its name"},
      {"s3.list_as_catalogue", kError, [](const CommandContext& c) { return aws(c, "s3", "ls"); },
       "a list shows names and times, not which of them is good", "bisect with a check: recovery_point.bisect"},
      {"s3.list_objects_as_access_log", kError,
       [](const CommandContext& c) { return aws(c, "s3api", "list-objects") || aws(c, "s3api", "list-objects-v2"); },
       "LastModified shows the last write of what is still there: reads, deletes and copies out are invisible",
       "switch on data events or access logs beforehand, and ask those"},
  };
}

std::vector<CommandRule> compute_rules() {
  return {
      {"ecs.describe_as_proof", kWarning, [](const CommandContext& c) { return aws(c, "ecs", "describe-clusters"); },
       "a missing cluster is answered with exit code 0; nothing is said of image, settings or capacity",
       "check status and failures, every half hour, not during the disaster"},
      {"ecs.not_awaited", kWarning,
       [](const CommandContext& c) {
         return update_service(c) && !c.any([](const ShellCommand& other) { return other.is({"aws", "ecs", "wait"}); });
       },
       "update-service returns at once: nothing waits until tasks run or are stopped",
       "wait for the deployment: service.scale, service.stop verify"},
      {"ecs.count_hard_coded", kWarning, [](const CommandContext& c) { return !count(c).empty() && count(c) != "0"; },
       "the number of tasks is written down, not what it was before", "service.scale with recorded: true"},
      {"ecs.stop_is_not_a_fence", kError, [](const CommandContext& c) { return count(c) == "0"; },
       "scaling to 0 is not a fence: tasks run on for their stop timeout, auto scaling may raise it again, other "
       "writers go on",
       "suspend scaling, wait until stopped, then redis.fence"},
      {"queue.resumed_without_reconcile", kError,
       [](const CommandContext& c) {
         return !count(c).empty() && count(c) != "0" &&
                c.any_before([](const ShellCommand& other) { return other.option("--desired-count") == "0"; });
       },
       "jobs that finished after the backup run again: messages are sent twice",
       "start paused, drop what was already sent by the provider's ledger, then resume at a rate"},
      {"ecs.force_new_deployment", kError,
       [](const CommandContext& c) { return update_service(c) && c.command().has("--force-new-deployment"); },
       "a new deployment resolves :latest again, and rolling keeps old tasks on the old Redis: two writers",
       "deploy by digest, and stop before start: service.restart with mode: stop-start"},
      {"placeholder.revision", kError, [](const CommandContext& c) { return has_placeholder_revision(c); },
       "the revision is a placeholder that nobody filled in", "use the revision that registering returned"},
      {"registry.replaces_healthy_tasks", kError,
       [](const CommandContext& c) {
         return c.procedure.topic == Topic::kRegistry && update_service(c) &&
                !c.command().option("--task-definition").empty();
       },
       "healthy tasks are replaced while images cannot be pulled",
       "freeze deployments, and use the other image only when new tasks are needed"},
      {"breach.image_is_no_restore", kError,
       [](const CommandContext& c) {
         return c.procedure.topic == Topic::kBreach && update_service(c) &&
                !c.command().option("--task-definition").empty();
       },
       "another task definition restores no data, secret, role or persistence of an intruder",
       "restore data to before the first compromise, rebuild images, rotate secrets in order"},
      {"taskdef.not_registrable", kError,
       [](const CommandContext& c) { return aws(c, "ecs", "register-task-definition"); },
       "a file made from describe-task-definition is refused: it has fields that only the answer has",
       "keep the normalised input, with the image by digest"},
      {"taskdef.backup_not_registrable", kError,
       [](const CommandContext& c) { return aws(c, "ecs", "describe-task-definition") && c.command().has(">"); },
       "this cannot be registered as it is, and the runner's disk is gone after the job",
       "keep the normalised input and the digest of the image in the repository"},
      {"ec2.isolation", kError, [](const CommandContext& c) { return aws(c, "ec2", "modify-instance-attribute"); },
       "containers on Fargate have no instance, several interfaces are refused, and open connections go on; evidence "
       "is not kept",
       "evidence first, then each interface and a network ACL: contain.evidence, contain.network"},
  };
}

std::vector<CommandRule> settings_rules() {
  return {
      {"elasticache.no_description", kError,
       [](const CommandContext& c) {
         return aws(c, "elasticache", "create-replication-group") &&
                c.command().option("--replication-group-description").empty();
       },
       "create-replication-group is refused without --replication-group-description; subnets, groups, TLS and AUTH are "
       "missing too",
       "create it from the stored description of the old one"},
      {"elasticache.latest_snapshot", kError,
       [](const CommandContext& c) {
         return aws(c, "elasticache", "create-replication-group") &&
                has_word(c.command().option("--snapshot-name"), {"latest"});
       },
       "nothing in this plan creates a snapshot of this name", "name a snapshot that a job makes, by its time"},
      {"route53.control_plane", kError,
       [](const CommandContext& c) { return aws(c, "route53", "change-resource-record-sets"); },
       "the answer is PENDING, needs the control plane in us-east-1, and the old answer lives on for its time to live",
       "prepare PRIMARY and SECONDARY with health checks, and flip by a data plane"},
      {"ssm.loses_tls", kError,
       [](const CommandContext& c) { return aws(c, "ssm", "put-parameter") && c.command().contains("redis://"); },
       "the new value has neither TLS nor a password, and the old one is not kept",
       "config.put keeps the old value; use rediss:// with user and password by reference"},
      {"ssm.no_decryption", kError,
       [](const CommandContext& c) {
         return (aws(c, "ssm", "get-parameters-by-path") || aws(c, "ssm", "get-parameters")) && c.command().has(">") &&
                !c.command().has("--with-decryption");
       },
       "without --with-decryption secrets are copied as ciphertext that cannot be put back",
       "copy decrypted into an encrypted store, or replicate natively"},
      {"secrets.metadata_only", kError,
       [](const CommandContext& c) { return aws(c, "secretsmanager", "list-secrets"); },
       "list-secrets gives names, no values: nothing can be restored from it",
       "replicate the secrets to the other region, or keep their values encrypted"},
      {"ecr.account", kError, has_short_account, "an account has 12 digits: this image does not exist",
       "write the account; mirror and compare digests at each deployment"},
      {"ecr.no_login", kWarning,
       [](const CommandContext& c) {
         return c.command().is({"docker", "pull"}) && c.command().contains(".dkr.ecr.") &&
                !c.any([](const ShellCommand& other) { return other.contains("get-login-password"); });
       },
       "nothing logs in to this registry; its token lives for 12 hours", "log in first, with the service's own role"},
      {"image.latest", kError,
       [](const CommandContext& c) { return c.command().is({"docker", "pull"}) && c.command().contains(":latest"); },
       "pulling :latest tests this machine's login, and gets whatever was pushed last",
       "ask for the manifest by digest, with the service's credentials: image.check"},
      {"cloudtrail.one_question", kWarning,
       [](const CommandContext& c) { return aws(c, "cloudtrail", "lookup-events"); },
       "one attribute a call, one region, 90 days, management events only; sign-ins and IAM are in us-east-1",
       "ask the home region and us-east-1, by access key; have a trail with data events"},
  };
}

}  // namespace

std::vector<CommandRule> cloud_rules() {
  std::vector<CommandRule> rules = storage_rules();
  for (const auto& part : {compute_rules(), settings_rules()}) rules.insert(rules.end(), part.begin(), part.end());
  return rules;
}

}  // namespace anclora::plan
