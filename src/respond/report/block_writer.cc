#include "respond/report/block_writer.h"

#include <algorithm>

namespace anclora::respond {

using Look = ReportCell::Look;

std::string BlockWriter::word(std::string_view group, std::string_view name) const {
  const auto found = find_report_text(group, name, language_);
  return std::string(found ? *found : name);
}

ReportCell BlockWriter::code(std::string_view text) const {
  return text.empty() ? ReportCell("–", Look::kMuted) : ReportCell(text, Look::kCode);
}

ReportCell BlockWriter::duration(const std::optional<Duration>& duration) const {
  return duration ? ReportCell(report_duration(*duration, language_)) : ReportCell(say("not_measured"), Look::kMuted);
}

ReportCell BlockWriter::objective(Duration duration) const {
  return duration > Duration::zero() ? ReportCell(report_duration(duration, language_)) : ReportCell("–", Look::kMuted);
}

ReportCell BlockWriter::verdict(Verdict verdict, ReportKey good, ReportKey bad) const {
  if (verdict == Verdict::kPassed) return {say(good), Look::kGood};
  if (verdict == Verdict::kFailed) return {say(bad), Look::kBad};
  return {say("verdict.unknown"), Look::kMuted};
}

void BlockWriter::heading(int level, std::string text) {
  ReportBlock block;
  block.kind = ReportBlock::Kind::kHeading;
  block.level = level;
  block.cell = ReportCell(std::move(text));
  add(std::move(block));
}

void BlockWriter::paragraph(ReportCell cell) {
  ReportBlock block;
  block.cell = std::move(cell);
  add(std::move(block));
}

void BlockWriter::blank_or(const std::string& text) {
  if (!text.empty()) return paragraph(text);
  ReportBlock block;
  block.kind = ReportBlock::Kind::kBlank;
  block.cell = blank();
  add(std::move(block));
}

void BlockWriter::pairs(std::vector<Row> rows) {
  ReportBlock block;
  block.kind = ReportBlock::Kind::kPairs;
  block.rows = std::move(rows);
  add(std::move(block));
}

void BlockWriter::table(const std::vector<std::string>& header, std::vector<Row> rows, std::vector<bool> numeric) {
  if (rows.empty()) return paragraph({say("none"), Look::kMuted});
  ReportBlock block;
  block.kind = ReportBlock::Kind::kTable;
  block.header = header;
  block.rows = std::move(rows);
  block.numeric = std::move(numeric);
  block.numeric.resize(header.size());
  add(std::move(block));
}

}  // namespace anclora::respond
