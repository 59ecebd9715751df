#include "plan/import/paper_document.h"

#include <algorithm>
#include <cctype>

namespace anclora::plan {
namespace {

std::vector<std::string> cells_of(std::string_view line) {
  std::vector<std::string> cells;
  line = trimmed(line);
  if (line.starts_with('|')) line.remove_prefix(1);
  if (line.ends_with('|')) line.remove_suffix(1);
  while (true) {
    const auto bar = line.find('|');
    cells.push_back(plain(line.substr(0, bar)));
    if (bar == std::string_view::npos) return cells;
    line.remove_prefix(bar + 1);
  }
}

bool is_rule(std::string_view line) {
  return line.find('-') != std::string_view::npos && line.find_first_not_of("|-: \t") == std::string_view::npos;
}

class PaperReader {
 public:
  std::vector<PaperSection> take() { return std::move(sections_); }

  PaperReader() { sections_.emplace_back(); }

  void read(std::uint32_t number, std::string_view line) {
    const std::string_view inner = trimmed(line);
    if (inner.starts_with("```") || inner.starts_with("~~~")) {
      in_code_ = !in_code_;
      in_table_ = false;
      if (in_code_) sections_.back().code.push_back({lower_case(trimmed(inner.substr(3))), {}});
      return;
    }
    if (in_code_) {
      sections_.back().code.back().lines.push_back({number, std::string(line)});
      return;
    }
    if (inner.starts_with('|')) return read_row(number, inner);
    in_table_ = false;
    const std::size_t level = std::min(inner.find_first_not_of('#'), inner.size());
    if (level > 0 && level <= 6 && level < inner.size() && inner[level] == ' ')
      return open(level, number, inner.substr(level));
    if (!inner.empty()) sections_.back().prose.push_back({number, std::string(inner)});
  }

 private:
  void read_row(std::uint32_t number, std::string_view line) {
    auto& tables = sections_.back().tables;
    if (is_rule(line)) return;
    std::vector<std::string> cells = cells_of(line);
    if (!in_table_) {
      in_table_ = true;
      for (std::string& cell : cells) cell = lower_case(cell);
      tables.push_back({std::move(cells), {}});
    } else {
      tables.back().rows.push_back({number, std::move(cells)});
    }
  }

  void open(std::size_t level, std::uint32_t number, std::string_view title) {
    while (!above_.empty() && above_.back().first >= level) above_.pop_back();
    PaperSection section;
    section.level = level;
    section.title = plain(title);
    section.line = number;
    above_.emplace_back(level, lower_case(section.title));
    for (const auto& [unused, name] : above_) section.path += (section.path.empty() ? "" : " / ") + name;
    sections_.push_back(std::move(section));
  }

  std::vector<PaperSection> sections_;
  std::vector<std::pair<std::size_t, std::string>> above_;
  bool in_code_ = false;
  bool in_table_ = false;
};

}  // namespace

std::string lower_case(std::string_view text) {
  std::string low(text);
  std::ranges::transform(low, low.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return low;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::string plain(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '*' || text[i] == '`') continue;
    // Emoji and their selectors take four bytes, or begin with these.
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0xf0) {
      i += 3;
    } else if (byte == 0xe2 || byte == 0xef) {
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return std::string(trimmed(out));
}

bool has_word(std::string_view text, std::initializer_list<std::string_view> any_of) {
  return std::ranges::any_of(any_of, [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

std::vector<PaperSection> read_paper(std::string_view text) {
  PaperReader reader;
  std::uint32_t number = 0;
  while (!text.empty()) {
    const auto end = text.find('\n');
    reader.read(++number, text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return reader.take();
}

}  // namespace anclora::plan
