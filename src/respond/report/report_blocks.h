// A report as headings, tables and lists, from which Markdown and HTML are both written: so they say the same. Pure.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "respond/report/render_report.h"
#include "respond/report/report_facts.h"

namespace anclora::respond {

struct ReportCell {
  enum class Look : std::uint8_t { kText, kCode, kGood, kBad, kMuted, kBlank };
  std::string text;  // raw: escaped by whoever writes it
  Look look = Look::kText;

  ReportCell() = default;
  // NOLINTNEXTLINE: a cell is text
  template <std::convertible_to<std::string_view> Text>
  ReportCell(const Text& words, Look how = Look::kText) : text(std::string_view(words)), look(how) {}
};

struct ReportBar {
  std::string label;
  double share = 0;  // of 1
};

struct ReportBlock {
  enum class Kind : std::uint8_t { kHeading, kParagraph, kVerdict, kPairs, kTable, kList, kChecklist, kBlank };
  Kind kind = Kind::kParagraph;
  int level = 2;                              // of a heading; 1 is the title
  ReportCell cell;                            // heading, paragraph, verdict; its look says good or bad
  std::vector<std::string> header;            // kTable
  std::vector<std::vector<ReportCell>> rows;  // kPairs: name and value; kList: one cell; kChecklist: check, proof
  std::vector<Verdict> verdicts;              // kChecklist: one for each row
  std::vector<ReportBar> bars;                // drawn above a table where the format can
  std::vector<bool> numeric;                  // kTable: which columns are aligned to the right
};

std::vector<ReportBlock> report_blocks(const ReportFacts& facts, Language language);

// The document's title: kind, what it was, and when.
std::string report_title(const ReportFacts& facts, Language language);

// What is used by the blocks and tested alone: "4.2 s" or "4,2 s"; "2026-11-24 16:05:04 UTC".
std::string report_duration(Duration duration, Language language);
std::string report_time(WallTime time);

}  // namespace anclora::respond
