// Reads the body of a command frame. One thread. Format: docs/formats/command-frame.md.
#pragma once

#include <optional>
#include <vector>

#include "storage/journal/command_frame.h"
#include "storage/journal/word_table.h"

namespace anclora::storage {

class CommandFrameDecoder {
 public:
  // Memory for a body of `size_bytes`, to be written by the caller; decode() reads it.
  char* body(std::size_t size_bytes);
  // The `plain_bytes` bytes that the body stands for, until the next call; nullopt when it stands for no such bytes.
  // Hostile bodies do no harm, and take no more memory than `plain_bytes` and some 10 MiB.
  std::optional<ByteView> decode(std::size_t plain_bytes);

 private:
  struct Template {
    std::string text;
    std::vector<TemplateStep> steps;
    std::vector<WordTable> words;
  };
  bool define();
  bool read_step(Template& shape);
  bool repeat(Template& shape);
  bool fill_slot(const TemplateStep& step, Template& shape);
  bool fill_word(WordTable& words);
  bool fill_argument();
  bool copy_sized();
  bool read_varint(std::uint64_t& value);
  std::size_t left() const { return static_cast<std::size_t>(body_end_ - at_); }

  Bytes body_;
  std::size_t body_bytes_ = 0;
  Bytes plain_;
  std::vector<Template> templates_;
  std::size_t word_slots_ = 0;
  const char* at_ = nullptr;
  const char* body_end_ = nullptr;
  char* out_ = nullptr;
  char* out_end_ = nullptr;
};

}  // namespace anclora::storage
