#include "plan/import/shell_script.h"

#include <algorithm>
#include <cctype>

namespace anclora::plan {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool open = false;
  char quote = 0;
  const auto close = [&] {
    if (open) words.push_back(std::move(word));
    word.clear();
    open = false;
  };
  int depth = 0;  // of $( )
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        word.push_back(c);
      }
    } else if (depth == 0 && (c == '\'' || c == '"')) {
      quote = c;
      open = true;
    } else if (depth == 0 && (c == ' ' || c == '\t' || c == '\n')) {
      close();
    } else if (depth == 0 && (c == '|' || c == '>' || c == ';' || c == '&')) {
      close();
      words.emplace_back(1, c);
    } else {
      depth += c == '(' ? 1 : c == ')' && depth > 0 ? -1 : 0;
      open = true;
      word.push_back(c);
    }
  }
  close();
  return words;
}

// "# STEP 3: Update DNS (2 min)", "# Paso 2 - ...", "# 3. ...".
bool is_step_title(const std::string& comment) {
  const std::string low = lower_case(comment);
  for (const std::string_view word : {"step", "paso", "phase", "fase"})
    if (low.starts_with(word) && low.find_first_of("0123456789") != std::string::npos &&
        low.find_first_of("0123456789") <= word.size() + 2)
      return true;
  return false;
}

bool has_open_quote(const std::string& text) { return std::ranges::count(text, '\'') % 2 != 0; }

class ScriptReader {
 public:
  ShellScript take() {
    if (script_.steps.size() > 1 && script_.steps.front().title.empty() && script_.steps.front().commands.empty())
      script_.steps.erase(script_.steps.begin());
    return std::move(script_);
  }
  ScriptReader() { script_.steps.emplace_back(); }

  void read(const PaperLine& line) {
    const std::string text(trimmed(line.text));
    if (text.empty() && pending_.empty()) return;
    if (text.starts_with('#') && pending_.empty())
      return read_comment(line.number, std::string(trimmed(std::string_view(text).substr(1))));
    if (pending_.empty()) first_line_ = line.number;
    const bool goes_on = text.ends_with('\\');
    pending_ += (pending_.empty() ? "" : " ") +
                std::string(trimmed(goes_on ? std::string_view(text).substr(0, text.size() - 1) : text));
    if (!goes_on && !has_open_quote(pending_)) finish();
  }
  void finish() {
    if (pending_.empty()) return;
    ShellCommand command;
    command.line = first_line_;
    command.text = std::move(pending_);
    command.words = split_words(command.text);
    command.comment = std::move(comment_);
    pending_.clear();
    comment_.clear();
    script_.steps.back().commands.push_back(std::move(command));
  }

 private:
  void read_comment(std::uint32_t number, const std::string& comment) {
    const std::string low = lower_case(comment);
    if (low.starts_with("total")) {
      script_.total_line = number;
      script_.total_minutes = minutes_in(comment);
    } else if (is_step_title(comment)) {
      script_.steps.push_back({number, comment, minutes_in(comment), {}, {}});
      comment_ = low;
    } else {
      script_.steps.back().comments.push_back({number, comment});
      comment_ += (comment_.empty() ? "" : " / ") + low;
    }
  }

  ShellScript script_;
  std::string pending_;
  std::string comment_;
  std::uint32_t first_line_ = 0;
};

}  // namespace

bool ShellCommand::is(std::initializer_list<std::string_view> beginning) const {
  auto word = words.begin();
  while (word != words.end() && (*word == "sudo" || (word->find('=') != std::string::npos && !word->starts_with('-'))))
    ++word;
  for (const std::string_view wanted : beginning)
    if (word == words.end() || *word++ != wanted) return false;
  return true;
}

bool ShellCommand::has(std::string_view word) const { return std::ranges::find(words, word) != words.end(); }

std::string ShellCommand::option(std::string_view name) const {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == name) return i + 1 < words.size() ? words[i + 1] : std::string();
    if (words[i].starts_with(std::string(name) + "=")) return words[i].substr(name.size() + 1);
  }
  return {};
}

std::uint32_t ShellScript::minutes() const {
  std::uint32_t sum = 0;
  for (const ShellStep& step : steps) sum += step.minutes.value_or(0);
  return sum;
}

std::vector<const ShellCommand*> ShellScript::commands() const {
  std::vector<const ShellCommand*> all;
  for (const ShellStep& step : steps)
    for (const ShellCommand& command : step.commands) all.push_back(&command);
  return all;
}

ShellScript read_script(const PaperCode& code) {
  ScriptReader reader;
  for (const PaperLine& line : code.lines) reader.read(line);
  reader.finish();
  return reader.take();
}

std::optional<std::uint32_t> minutes_in(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is_digit(text[i])) continue;
    std::uint32_t number = 0;
    while (i < text.size() && is_digit(text[i]))
      number = std::min<std::uint32_t>(number * 10 + static_cast<std::uint32_t>(text[i++] - '0'), 100'000);
    const std::string rest = lower_case(trimmed(text.substr(i)));
    if (rest.starts_with("min") || rest.starts_with("m)")) return number;
    if (rest.starts_with("h")) return number * 60;
    if (rest.starts_with("day") || rest.starts_with("d\xc3\xad")) return number * 24 * 60;
    --i;
  }
  return std::nullopt;
}

}  // namespace anclora::plan
