// What commands that repeat each other have in common: the text that is always there, and slots for what differs.
// One thread. Format: docs/formats/command-frame.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace anclora::storage {

enum class SlotKind : std::uint8_t {
  kEnd = 0,          // nothing: the command ends here
  kDecimal = 1,      // `width` decimal digits
  kNumber = 2,       // decimal digits, 1 to 16, no zero in front
  kHexadecimal = 3,  // `width` lower-case hexadecimal digits
  kWord = 4,         // at most 255 bytes up to the first one of the text that follows
  kArgument = 5,     // a whole argument, its length line included
};

struct TemplateStep {
  std::uint32_t text_at = 0;  // in the template's text: what stands before the slot
  std::uint32_t text_bytes = 0;
  SlotKind kind = SlotKind::kEnd;
  std::uint8_t width = 0;
  char delimiter = 0;       // kWord: what ends it
  std::uint16_t words = 0;  // kWord: which of the template's word tables
};

inline constexpr std::size_t kMaxTemplateSteps = 256;
inline constexpr std::size_t kMaxTemplateTextBytes = 16 * kKiB;

class CommandTemplate {
 public:
  // Fits just this command (as RESP arguments).
  explicit CommandTemplate(const std::vector<std::string_view>& arguments);
  // From now on fits this one too, which has as many arguments.
  void widen(const std::vector<std::string_view>& arguments);
  // False: longer than the limits; it has no steps then.
  bool usable() const { return !steps_.empty(); }

  const std::string& text() const { return text_; }
  const std::vector<TemplateStep>& steps() const { return steps_; }
  std::uint16_t word_slots() const { return word_slots_; }
  std::size_t whole_arguments() const;

 private:
  // A run of letters and digits, or of anything else; as it stands, or a slot.
  struct Piece {
    std::string text;
    SlotKind kind = SlotKind::kEnd;  // kEnd: `text` as it stands
    std::uint8_t width = 0;
  };
  struct Argument {
    std::vector<Piece> pieces;
    bool whole = false;  // one kArgument slot
  };
  static Argument split(std::string_view argument);
  static bool widen(Piece& piece, std::string_view other);
  static void widen(Argument& argument, std::string_view other);
  void build();
  void append(const Argument& argument);
  void end_text(SlotKind kind, std::uint8_t width);

  std::vector<Argument> arguments_;
  std::string text_;
  std::uint32_t ended_ = 0;  // of text_: what belongs to a step
  std::vector<TemplateStep> steps_;
  std::uint16_t word_slots_ = 0;
};

}  // namespace anclora::storage
