// What the parts of a report are put together with: words in its language, cells for verdicts, times and blanks.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "respond/report/report_blocks.h"
#include "respond/report/report_text.h"

namespace anclora::respond {

using Row = std::vector<ReportCell>;

class BlockWriter {
 public:
  explicit BlockWriter(Language language) : language_(language) {}

  std::string say(ReportKey key) const { return std::string(key.in(language_)); }
  // The word for what a journal brings, or the thing itself.
  std::string word(std::string_view group, std::string_view name) const;
  ReportCell code(std::string_view text) const;  // muted "none" when empty
  ReportCell blank() const { return {say("blank"), ReportCell::Look::kBlank}; }
  ReportCell or_blank(const std::string& text) const { return text.empty() ? blank() : ReportCell(text); }
  ReportCell duration(const std::optional<Duration>& duration) const;  // "not measured" when missing
  ReportCell objective(Duration duration) const;                       // a dash when zero
  ReportCell verdict(Verdict verdict, ReportKey good, ReportKey bad) const;

  void heading(int level, std::string text);
  void heading(ReportKey key, int level = 2) { heading(level, say(key)); }
  void paragraph(ReportCell cell);
  void blank_or(const std::string& text);
  // Nothing when there are no rows.
  void pairs(std::vector<Row> rows);
  void table(const std::vector<std::string>& header, std::vector<Row> rows, std::vector<bool> numeric = {});
  void add(ReportBlock block) { blocks_.push_back(std::move(block)); }

  Language language() const { return language_; }
  std::vector<ReportBlock> take() { return std::move(blocks_); }

 private:
  Language language_;
  std::vector<ReportBlock> blocks_;
};

// The parts, in the order in which they stand.
void write_objectives(BlockWriter& out, const ReportFacts& facts);
void write_timeline(BlockWriter& out, const ReportFacts& facts);
void write_steps(BlockWriter& out, const ReportFacts& facts);
void write_approvals(BlockWriter& out, const ReportFacts& facts);

}  // namespace anclora::respond
