#include "plan/import/import_paper.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <sstream>

#include "base/utf8.h"
#include "plan/import/mojibake.h"
#include "plan/read_plan.h"
#include "plan/reader/yaml_reader.h"
#include "plan/testing/plan_files.h"

namespace anclora::plan {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

bool has(const Findings& faults, std::string_view code, std::uint32_t line) {
  return std::ranges::any_of(faults,
                             [&](const Finding& fault) { return fault.code == code && fault.place.line == line; });
}

// The code, and a part of the line that it must be said of (the first such line).
struct Fault {
  const char* code;
  const char* text;
};

const std::vector<Fault>& known_faults() {
  static const std::vector<Fault> faults = {
      {"objective.aof_is_no_backup", "Continuous (AOF)"},
      {"objective.no_job", "**Reports**"},
      {"scenario.no_fence", "Scenario A"},
      {"scenario.no_failback", "Scenario A"},
      {"detection.provider_status", "Health dashboard"},
      {"detection.asks_what_failed", "No ECS tasks"},
      {"s3.mutable_latest", "latest.rdb /tmp/"},
      {"redis.rdb_downloads", "--rdb /tmp/latest.rdb"},
      {"route53.control_plane", "aws route53"},
      {"order.traffic_before_service", "aws route53"},
      {"file.not_in_plan", "aws route53"},
      {"ecs.count_hard_coded", "aws ecs update-service \\"},
      {"curl.no_fail", "curl https"},
      {"scenario.over_rto", "Total: 11"},
      {"redis.no_promotion", "Scenario B"},
      {"redis.ping_as_proof", "$HOST ping"},
      {"elasticache.no_description", "create-replication-group"},
      {"elasticache.latest_snapshot", "create-replication-group"},
      {"s3.date_in_path", "$(date +%Y%m%d)"},
      {"redis.rdb_downloads", "--rdb /tmp/a.rdb"},
      {"ssm.loses_tls", "ssm put-parameter --name /shop"},
      {"ecs.force_new_deployment", "--force-new-deployment"},
      {"curl.localhost", "curl -X POST"},
      {"curl.form_not_json", "curl -X POST"},
      {"queue.real_job", "curl -X POST"},
      {"shell.secret_on_command_line", "curl -X POST"},
      {"redis.history_not_kept", "Scenario C"},
      {"detection.vague", "Unexpected numbers"},
      {"ecs.stop_is_not_a_fence", "--desired-count 0"},
      {"s3.glob", "/tmp/bad-*.rdb"},
      {"s3.list_as_catalogue", "aws s3 ls"},
      {"redis.flushall", "FLUSHALL"},
      {"redis.rdb_downloads", "--rdb /tmp/2026"},
      {"queue.resumed_without_reconcile", "--service shop --desired-count 3"},
      {"ecr.account", "docker pull 12345"},
      {"image.latest", "docker pull 12345"},
      {"placeholder.revision", "OTHER_REVISION"},
      {"registry.replaces_healthy_tasks", "OTHER_REVISION"},
      {"drill.never", "Scenario C"},
      {"drill.never", "Scenario D"},
      {"redis.config_set_not_persisted", "CONFIG SET"},
      {"redis.config_get_as_proof", "CONFIG GET"},
      {"cron.no_user", "copy.sh hourly"},
      {"cron.collision", "copy.sh daily"},
      {"backup.no_retention", "copy.sh hourly"},
      {"redis.bgsave_not_awaited", "BGSAVE"},
      {"redis.lastsave_as_proof", "LASTSAVE"},
      {"redis.local_dump", "/var/lib/redis/dump.rdb s3"},
      {"ssm.no_decryption", "get-parameters-by-path"},
      {"secrets.metadata_only", "list-secrets"},
      {"redis.dump_with_aof", "cp /tmp/a.rdb /var"},
      {"redis.dbsize_as_proof", "DBSIZE"},
      {"redis.llen_as_proof", "LLEN"},
      {"shell.pipe_into_shell", "jq -r"},
      {"drill.staging_only", "in staging"},
      {"contact.placeholder", "On call** |"},
      {"contact.email_as_phone", "help@provider"},
      {"contact.unknown_domain", "help@provider"},
      {"escalation.contradiction", "if unresolved"},
      {"escalation.after_rto", "Level 2"},
      {"region.settings_not_copied", "Scenario A"},
      {"region.no_capacity", "Scenario A"},
      {"redis.no_point_in_time", "Scenario C"},
      {"backup.not_encrypted", "$(date +%Y%m%d)"},
      {"contact.never_tried", "On call** |"},
      {"shell.unquoted", "--rdb /tmp/latest.rdb"},
      {"shell.no_timeout", "latest.rdb /tmp/"},
  };
  return faults;
}

void expect_faults(const std::vector<std::string>& lines) {
  std::string paper;
  for (const std::string& line : lines) paper += line + "\n";
  const ImportedPaper imported = import_paper(paper);
  for (const Fault& fault : known_faults()) {
    const auto line = std::ranges::find_if(
        lines, [&](const std::string& text) { return text.find(fault.text) != std::string::npos; });
    if (line == lines.end()) continue;  // left out by a test
    const auto number = static_cast<std::uint32_t>(line - lines.begin() + 1);
    EXPECT_TRUE(has(imported.faults, fault.code, number)) << fault.code << " in line " << number << ": " << *line;
  }
}

TEST(ImportPaper, NamesTheFaultsWithTheirLines) { expect_faults(lines_of(source_file("tests/plans/paper.md"))); }

TEST(ImportPaper, NamesThemWhereTheyStandInAChangedCopy) {
  std::vector<std::string> lines = lines_of(source_file("tests/plans/paper.md"));
  lines.insert(lines.begin() + 2, {"A sentence more.", "", "And another."});
  // Other names for what the plan protects.
  for (std::string& line : lines)
    for (auto at = line.find("shop"); at != std::string::npos && line.find("ssm put") == std::string::npos &&
                                      line.find("--service") == std::string::npos;
         at = line.find("shop"))
      line.replace(at, 4, "mill");
  // A step less.
  std::erase_if(lines, [](const std::string& line) { return line.find("aws s3 ls") != std::string::npos; });
  expect_faults(lines);
}

TEST(ImportPaper, SaysNothingOfWhatThePaperHas) {
  std::string paper = source_file("tests/plans/paper.md");
  paper += "- [ ] Call all contacts (monthly)\n";
  const auto put = [&](const std::string& before, const std::string& text) {
    const auto at = paper.find(before);
    ASSERT_NE(at, std::string::npos) << before;
    paper.insert(at, text + "\n");
  };
  put("# STEP 2: Move the name", "aws secretsmanager replicate-secret-to-regions --secret-id shop");
  put("# STEP 2: Move the name", "aws ec2 create-capacity-reservation --instance-count 3");
  put("# STEP 3: Bring back", "redis-check-aof --truncate-to-timestamp 1 appendonly.aof.manifest");
  put("redis-cli BGSAVE", "aws s3 cp a.rdb s3://shop-copies/redis/a.rdb --sse aws:kms");
  const ImportedPaper imported = import_paper(paper);
  for (const Finding& fault : imported.faults)
    for (const char* code : {"region.settings_not_copied", "region.no_capacity", "redis.no_point_in_time",
                             "backup.not_encrypted", "contact.never_tried"})
      EXPECT_NE(fault.code, code) << fault.place.line;
}

TEST(ImportPaper, DraftIsYamlThatCheckReadsAndJudges) {
  const ImportedPaper imported = import_paper(source_file("tests/plans/paper.md"));
  const CheckedPlan checked = check_plan("draft", imported.draft);
  ASSERT_TRUE(checked.plan.has_value()) << imported.draft;
  EXPECT_EQ(checked.plan->scenarios.size(), 4U);
  EXPECT_EQ(checked.plan->service, "pedidos-online");
  const auto says = [&](std::string_view code) {
    return std::ranges::any_of(checked.findings, [&](const Finding& finding) { return finding.code == code; });
  };
  for (const char* code : {"step.no_fence", "order.traffic_before_service", "plane.global", "objective.no_backup",
                           "contact.placeholder", "escalation.after_rto"})
    EXPECT_TRUE(says(code)) << code;
  for (const Finding& finding : checked.findings) EXPECT_FALSE(finding.code.starts_with("yaml.")) << finding.message;
}

TEST(ImportPaper, RepairsADoubleEncodedFile) {
  const std::string good = source_file("tests/plans/paper.md");
  std::string spoilt;
  for (const char c : good) append_utf8(spoilt, static_cast<unsigned char>(c));  // each byte read as Latin-1
  ASSERT_NE(spoilt, good);
  const Repair repair = repair_mojibake(spoilt);
  EXPECT_EQ(repair.text, good);
  EXPECT_EQ(repair.first_line, 5U);
  EXPECT_TRUE(has(import_paper(spoilt).faults, "import.double_encoded", 5));
}

TEST(ImportPaper, LeavesGoodTextAlone) {
  const std::string good = "recuperación → señal “ok” 🎯 Ñandú\n";
  EXPECT_EQ(repair_mojibake(good).text, good);
  EXPECT_EQ(repair_mojibake(good).repaired, 0U);
  EXPECT_EQ(repair_mojibake("recuperaciÃ³n â€“ ok").text, "recuperación – ok");
}

TEST(ImportPaper, LeavesOutOfTheDraftWhatNobodySees) {
  std::string paper = source_file("tests/plans/paper.md");
  const auto title = paper.find("Scenario A:");
  ASSERT_NE(title, std::string::npos);
  paper.insert(title + 11, " \xe2\x80\xae\xef\xbb\xbf\xc2\x85");
  const ImportedPaper imported = import_paper(paper);
  for (const Finding& finding : check_plan("draft", imported.draft).findings)
    EXPECT_FALSE(finding.code.starts_with("yaml.")) << to_text("draft", finding);
}

TEST(ImportPaper, SaysWhatItDidNotFindInAnyDocument) {
  for (const char* text :
       {"", "# A recipe\n\nStir.\n", "```\n", "| a |\n|---|\n", "\xff\xfe", "# [x] (\n- [ ] (monthly\n"}) {
    const ImportedPaper imported = import_paper(text);
    EXPECT_TRUE(has(imported.faults, "import.not_found", 1)) << text;
    EXPECT_TRUE(check_plan("draft", imported.draft).plan.has_value()) << imported.draft;
  }
}

TEST(ImportPaper, EndsInAReadableDraftWhateverIsCutOrMoved) {
  const std::vector<std::string> good = lines_of(source_file("tests/plans/paper.md"));
  for (unsigned seed = 0; seed < 150; ++seed) {
    std::mt19937 random(seed);
    std::vector<std::string> lines = good;
    for (int change = 0; change < 8; ++change) {
      const std::size_t at = random() % lines.size();
      switch (random() % 4) {
        case 0:
          lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(at));
          break;
        case 1:
          std::swap(lines[at], lines[random() % lines.size()]);
          break;
        case 2:
          lines[at] = lines[at].substr(0, random() % (lines[at].size() + 1));
          break;
        default:
          lines[at].insert(random() % (lines[at].size() + 1), 1, static_cast<char>(random() % 256));
      }
    }
    std::string paper;
    for (const std::string& line : lines) paper += line + "\n";
    const ImportedPaper imported = import_paper(paper);
    Findings findings;
    EXPECT_TRUE(read_yaml(imported.draft, findings).has_value())
        << "seed " << seed << ": " << (findings.empty() ? "" : findings.front().message) << "\n"
        << imported.draft;
    for (const Finding& fault : imported.faults) EXPECT_LE(fault.place.line, lines.size() + 8) << "seed " << seed;
  }
}

}  // namespace
}  // namespace anclora::plan
