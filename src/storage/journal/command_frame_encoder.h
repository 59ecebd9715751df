// Turns a piece of a replication stream into the body of a command frame. One thread. It keeps what it learned of the
// commands for the next piece; each body stands alone. Format: docs/formats/command-frame.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "storage/journal/command_frame.h"
#include "storage/journal/template_filler.h"

namespace anclora::storage {

class CommandFrameEncoder {
 public:
  static constexpr std::size_t kMinPlainBytes = 64 * kKiB;  // less repeats too little to pay for the templates

  // The body, until the next call. nullopt: too little of `plain` is commands that repeat each other, or that was so
  // lately and it was not tried; zstd does better. Any bytes will do.
  std::optional<ByteView> encode(ByteView plain);

 private:
  struct Known {
    explicit Known(const std::vector<std::string_view>& arguments) : shape(arguments) {}
    CommandTemplate shape;
    std::vector<WordTable> words{};
    std::optional<std::uint8_t> number{};  // in this body
    Known* next = nullptr;                 // that came after it the last time
  };

  using Shapes = std::vector<std::unique_ptr<Known>>;  // of one signature

  void begin(ByteView plain);
  bool take_expected();
  bool take_known(Known& known);
  // Of the command at at_. False: it is none, or does not end here; at_ is behind what was read of it then, so that no
  // byte is read again and again where commands stand within commands.
  bool parse();
  void take_parsed();
  bool learn(std::uint64_t signature);
  Known& shape_for_parsed(Shapes& shapes) const;
  bool define(Known& known);
  void put_verbatim(const char* end);
  void put_varint(std::uint64_t value);
  bool pays() const;

  std::unordered_map<std::uint64_t, Shapes> known_;
  Bytes out_memory_;
  std::vector<std::string_view> arguments_;  // parse()
  const char* command_end_ = nullptr;

  // Of this call:
  const char* begin_ = nullptr;
  const char* at_ = nullptr;        // the command that is looked at
  const char* verbatim_ = nullptr;  // what no op has taken yet begins here
  const char* end_ = nullptr;
  TemplateFiller filler_{nullptr};
  char* out_ = nullptr;
  Known* last_ = nullptr;
  std::size_t templates_ = 0;
  std::size_t word_slots_ = 0;
  unsigned learned_ = 0;

  unsigned to_skip_ = 0;  // calls that are not tried, after ones that did not pay
  unsigned last_skip_ = 0;
};

}  // namespace anclora::storage
