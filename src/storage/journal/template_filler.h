// Puts a command into a template: reads what stands in its slots, and writes it as a command frame holds it. One
// thread. Format: docs/formats/command-frame.md.
#pragma once

#include <vector>

#include "storage/journal/command_template.h"
#include "storage/journal/word_table.h"

namespace anclora::storage {

class TemplateFiller {
 public:
  // Of commands in bytes that end at `end`.
  explicit TemplateFiller(const char* end);
  // Behind it no command can begin or end: slots are read in words that reach further.
  const char* last_place() const { return last_place_; }
  // The command at `at`: appends the slots' values at `out` (which has room for them) and returns the command's end;
  // nullptr when the command does not fit; `words` are then as they were, and what is written counts for nothing.
  const char* fill(const CommandTemplate& shape, std::vector<WordTable>& words, const char* at, char*& out);

 private:
  const char* fill_steps(const CommandTemplate& shape, std::vector<WordTable>& words, const char* at, char*& out);
  const char* fill_slot(const TemplateStep& step, std::vector<WordTable>& words, const char* at, char*& out);
  const char* fill_word(const TemplateStep& step, WordTable& words, const char* at, char*& out);
  const char* fill_argument(const char* at, char*& out) const;

  const char* end_;
  const char* last_place_;
  std::vector<WordTable*> added_;  // of this command: to be undone when it does not fit
};

// A RESP length line at `at` ("$12", "*3"): moves behind it. False: none stands there, or of more than 9 digits.
bool read_length_line(const char*& at, const char* end, char sign, long& value);

}  // namespace anclora::storage
