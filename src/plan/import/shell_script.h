// The commands of a paper plan's code blocks, under the steps that its comments name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plan/import/paper_document.h"

namespace anclora::plan {

struct ShellCommand {
  std::uint32_t line = 0;
  std::string text;                // lines that end in \ are joined
  std::vector<std::string> words;  // without quotes; pipes and redirections are words of their own
  std::string comment;             // the comments above it since the last command, in lower case

  // Begins with these words: {"aws", "s3", "cp"}. Variables set before it and sudo are passed over.
  bool is(std::initializer_list<std::string_view> beginning) const;
  bool has(std::string_view word) const;
  bool contains(std::string_view part) const { return text.find(part) != std::string::npos; }
  // The word after an option, "" when there is none.
  std::string option(std::string_view name) const;
};

struct ShellStep {
  std::uint32_t line = 0;
  std::string title;
  std::optional<std::uint32_t> minutes;
  std::vector<ShellCommand> commands;
  std::vector<PaperLine> comments;
};

struct ShellScript {
  std::vector<ShellStep> steps;  // the first may have no title: what stands before the first "STEP"
  std::uint32_t total_line = 0;
  std::optional<std::uint32_t> total_minutes;

  std::uint32_t minutes() const;
  std::vector<const ShellCommand*> commands() const;
};

ShellScript read_script(const PaperCode& code);
// "5 min", "1 hour", "~15 minutes", "2 h": in minutes.
std::optional<std::uint32_t> minutes_in(std::string_view text);

}  // namespace anclora::plan
