#include "respond/incident/audit_export.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/memory_file_system.h"
#include "respond/incident/audit_proof.h"
#include "respond/incident/incident_log.h"
#include "respond/runbook/run_folder.h"

namespace anclora::respond {
namespace {

constexpr char kPlan[] = "version: 1\nservice: shop\n";

struct AuditExportTest : ::testing::Test {
  ManualClock clock;
  SeededRandom random{7};
  MemoryFileSystem files{clock};
  std::unique_ptr<IncidentLog> log;
  std::vector<ExportedRun> runs;

  void SetUp() override {
    NewIncident incident{"lost", "high", "shop", "plan.yaml", kPlan, "person", "ada", "gone"};
    log = *IncidentLog::begin({files, clock, random}, "/state/incidents", incident);
    for (const char* run : {"lost-1", "lost-2"}) {
      const std::string folder = std::string("/state/runs/") + run;
      ASSERT_TRUE(create_run_folder(files, folder, kPlan));
      auto journal = RunJournal::open(files, folder, {});
      RunRecord first;
      first.kind = RecordKind::kRunStarted;
      first.fields = {{"run", run}, {"plan_hash", to_hex(hash256(kPlan))}};
      ASSERT_TRUE((*journal)->append(first, clock.wall_now()));
      RunRecord last;
      last.kind = RecordKind::kRunFinished;
      ASSERT_TRUE((*journal)->append(last, clock.wall_now()));
      IncidentRecord linked(IncidentKind::kRunLinked);
      linked.fields = {{"run", run}};
      ASSERT_TRUE(log->append(linked));
      runs.push_back({run, folder});
    }
  }

  AuditExport exported() { return *make_audit_export(files, log->folder(), runs, "0.1.0", clock.wall_now()); }
  static AuditProof prove(const ArchiveFiles& of) { return prove_audit_export(of, {}); }
  static std::string told(const AuditProof& proof) {
    std::string text;
    for (const AuditFinding& each : proof.findings)
      text += each.path + ":" + std::to_string(each.line) + ": " + each.what + "\n";
    return text;
  }
  static bool names(const AuditProof& proof, const std::string& path, std::size_t line) {
    return std::ranges::any_of(proof.findings,
                               [&](const AuditFinding& each) { return each.path == path && each.line == line; });
  }
};

TEST_F(AuditExportTest, IsProvedAsItWasWritten) {
  const AuditExport made = exported();
  const AuditProof proof = prove(made.files);
  EXPECT_TRUE(proof.whole()) << told(proof);
  EXPECT_EQ(proof.incident, log->id());
  EXPECT_EQ(proof.runs, 2U);
  EXPECT_EQ(proof.tip, made.tip);
  EXPECT_EQ(proof.incident_records, 3U);
  EXPECT_EQ(proof.incident_hashes.back(), made.incident_tip);
}

TEST_F(AuditExportTest, NamesFileAndLineOfEveryByteThatIsChanged) {
  const AuditExport made = exported();
  for (const auto& [path, content] : made.files) {
    std::size_t line = 1;
    for (std::size_t i = 0; i < content.size(); ++i) {
      ArchiveFiles changed = made.files;
      changed[path][i] = static_cast<char>(changed[path][i] ^ 1);
      const AuditProof proof = prove(changed);
      ASSERT_TRUE(names(proof, path, line)) << path << " byte " << i << " line " << line << "\n" << told(proof);
      if (content[i] == '\n') ++line;
    }
  }
}

TEST_F(AuditExportTest, NamesTheLineThatIsRemovedDoubledOrMoved) {
  const AuditExport made = exported();
  for (const auto& [path, content] : made.files) {
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < content.size(); at = content.find('\n', at) + 1)
      lines.push_back(content.substr(at, content.find('\n', at) + 1 - at));
    const auto with = [&](const std::vector<std::string>& those) {
      ArchiveFiles changed = made.files;
      changed[path].clear();
      for (const std::string& line : those) changed[path] += line;
      return prove(changed);
    };
    for (std::size_t i = 0; i < lines.size(); ++i) {
      auto removed = lines, doubled = lines, moved = lines;
      removed.erase(removed.begin() + static_cast<std::ptrdiff_t>(i));
      EXPECT_TRUE(names(with(removed), path, i + 1) || lines.size() > 1) << path << i;
      EXPECT_FALSE(with(removed).whole()) << path << i;
      doubled.insert(doubled.begin() + static_cast<std::ptrdiff_t>(i), lines[i]);
      EXPECT_FALSE(with(doubled).whole()) << path << i;
      if (i == 0 || lines[i] == lines[i - 1]) continue;
      std::swap(moved[i], moved[i - 1]);
      EXPECT_TRUE(names(with(moved), path, i)) << path << i << told(with(moved));
    }
  }
}

TEST_F(AuditExportTest, NamesAFileThatIsRemovedOrAdded) {
  const AuditExport made = exported();
  for (const auto& [path, content] : made.files) {
    ArchiveFiles changed = made.files;
    changed.erase(path);
    EXPECT_TRUE(names(prove(changed), path, 0)) << path;
  }
  ArchiveFiles more = made.files;
  more["runs/lost-1/notes.txt"] = "x";
  EXPECT_TRUE(names(prove(more), "runs/lost-1/notes.txt", 0));
}

TEST_F(AuditExportTest, ShowsEveryByteOfAnArchiveThatIsChangedAlsoInItsHeadersAndPadding) {
  const Bytes archive = *write_tar(exported().files, clock.wall_now());
  const auto whole = read_tar(archive);
  ASSERT_TRUE(whole) << whole.error().to_string();
  EXPECT_TRUE(prove_audit_export(*whole, archive).whole());
  for (std::size_t i = 0; i < archive.size(); i += i % 512 < 270 ? 1 : 7) {
    Bytes changed = archive;
    changed[i] = static_cast<char>(changed[i] ^ 4);
    const auto read = read_tar(changed);
    if (read) {
      ASSERT_FALSE(prove_audit_export(*read, changed).whole()) << i;
    }
  }
  EXPECT_FALSE(prove_audit_export(*whole, archive + "x").whole());
  for (std::size_t size = 0; size < archive.size() - 1024; size += 97) EXPECT_FALSE(read_tar(archive.substr(0, size)));
}

TEST_F(AuditExportTest, ComesBackFromAFolderAndFromAnArchive) {
  ASSERT_TRUE(files.create_directories("/out"));
  for (const char* out : {"/out/one.tar", "/out/two"}) {
    const AuditExport made = exported();
    ASSERT_TRUE(write_audit_export(files, made, out, clock.wall_now()));
    EXPECT_EQ(write_audit_export(files, made, out, clock.wall_now()).error().kind(), ErrorKind::kAlreadyExists);
    const auto back = read_audit_export(files, out);
    ASSERT_TRUE(back) << back.error().to_string();
    EXPECT_EQ(*back, made.files);
  }
}

TEST_F(AuditExportTest, SaysWhichRunItLacks) {
  runs[1].folder = "/state/runs/none";
  const AuditExport made = exported();
  EXPECT_EQ(made.missing, std::vector<std::string>{"lost-2"});
  const AuditProof proof = prove(made.files);
  EXPECT_TRUE(proof.whole()) << told(proof);
  EXPECT_EQ(proof.missing, std::vector<std::string>{"lost-2"});
}

TEST_F(AuditExportTest, ShowsDamageThatWasThereBeforeTheExport) {
  const std::string path = runs[0].folder + "/journal-000001.jsonl";
  std::string changed = *files.read_all(path);
  changed.replace(changed.find("lost-1"), 6, "lost-9");
  ASSERT_TRUE(files.remove(path));
  ASSERT_TRUE((*files.create(path))->append(changed));
  const AuditProof proof = prove(exported().files);
  EXPECT_TRUE(names(proof, "runs/lost-1/journal-000001.jsonl", 1)) << told(proof);
}

TEST(TarArchive, TakesLongPathsAndRefusesLongerOnes) {
  const std::string deep = "runs/" + std::string(100, 'r') + "/journal-000001.jsonl";
  const auto archive = write_tar({{deep, "x"}}, {});
  ASSERT_TRUE(archive);
  EXPECT_EQ(read_tar(*archive)->at(deep), "x");
  EXPECT_FALSE(write_tar({{std::string(200, 'n'), "x"}}, {}));
}

}  // namespace
}  // namespace anclora::respond
