// Markdown as far as a paper plan uses it: sections, tables, code blocks, lines of text, each with its line number.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace anclora::plan {

struct PaperLine {
  std::uint32_t number = 0;
  std::string text;
};

struct PaperRow {
  std::uint32_t line = 0;
  std::vector<std::string> cells;  // without emphasis
};

struct PaperTable {
  std::vector<std::string> header;  // lower case
  std::vector<PaperRow> rows;
};

struct PaperCode {
  std::string language;
  std::vector<PaperLine> lines;
};

struct PaperSection {
  std::size_t level = 0;  // 0: before the first heading
  std::string title;
  std::uint32_t line = 0;
  std::string path;  // its title and those above it, in lower case
  std::vector<PaperLine> prose;
  std::vector<PaperTable> tables;
  std::vector<PaperCode> code;
};

std::vector<PaperSection> read_paper(std::string_view text);

std::string lower_case(std::string_view text);
std::string_view trimmed(std::string_view text);
// Without leading and trailing spaces, emphasis and emoji.
std::string plain(std::string_view text);
bool has_word(std::string_view lower_text, std::initializer_list<std::string_view> any_of);

}  // namespace anclora::plan
