#include "plan/reader/yaml_reader.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <sstream>
#include <unordered_map>
#include <vector>

#include "base/utf8.h"
#include "plan/reader/place_finder.h"
#include "plan/reader/unseen.h"

namespace anclora::plan {
namespace {

// Thrown through yaml-cpp to leave it early; never out of this file.
struct StopReading {};

bool is_plain_tag(const std::string& tag) { return tag.empty() || tag == "?" || tag == "!"; }

bool is_control(unsigned char byte) {
  return (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7f;
}

// Builds the value from yaml-cpp's events, bottom up on a stack of open lists and maps.
class ValueBuilder final : public YAML::EventHandler {
 public:
  ValueBuilder(const PlaceFinder& places, Findings& findings) : places_(places), findings_(findings) {}

  std::optional<Value> take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
    refuse("yaml.anchor", mark, fmt::format("the anchor &{}", name), "write the value out where it is needed");
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse("yaml.anchor", mark, "an alias", "write the value out where it is needed");
    add(Value{.kind = ValueKind::kNull, .text = {}, .items = {}, .entries = {}, .place = place(mark)});
  }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    add(Value{.kind = ValueKind::kNull, .text = {}, .items = {}, .entries = {}, .place = place(mark)});
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, const std::string& text) override {
    refuse_tag(mark, tag);
    refuse_escapes(mark, text);
    add(Value{.kind = ValueKind::kScalar, .text = text, .items = {}, .entries = {}, .place = place(mark)});
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    open(ValueKind::kList, mark, tag);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, YAML::EmitterStyle::value) override {
    open(ValueKind::kMap, mark, tag);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Value value;
    bool has_key = false;   // a map that waits for the value of `key`
    bool drop_key = false;  // it is a duplicate, or no text
    std::string key;
    Place key_place;
    std::unordered_map<std::string, Place> seen;
  };

  Place place(const YAML::Mark& mark) const {
    return places_.at_byte_column(static_cast<std::size_t>(std::max(mark.line, 0)),
                                  static_cast<std::size_t>(std::max(mark.column, 0)));
  }

  void refuse(std::string code, const YAML::Mark& mark, std::string what, std::string hint) {
    add_error(findings_, std::move(code), place(mark), what + " is not allowed in a plan", std::move(hint));
  }
  void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (!is_plain_tag(tag)) refuse("yaml.tag", mark, fmt::format("the tag {}", tag), "leave the tag out");
  }

  // refuse_bytes() has judged the file; an escape in quotes ("\\x1b") makes them afterwards.
  void refuse_escapes(const YAML::Mark& mark, const std::string& text) {
    for (const char c : text)
      if (const auto byte = static_cast<unsigned char>(c); is_control(byte) || byte == '\r')
        return refuse("yaml.control_character", mark, fmt::format("the control character 0x{:02x}", byte), "delete it");
    if (const auto unseen = first_unseen(text))
      refuse("yaml.control_character", mark,
             fmt::format("the unseen character U+{:04X}", std::uint32_t{unseen->second}), "delete it");
  }

  void open(ValueKind kind, const YAML::Mark& mark, const std::string& tag) {
    refuse_tag(mark, tag);
    if (stack_.size() >= kMaxPlanDepth) {
      add_error(findings_, "yaml.depth", place(mark), fmt::format("nested deeper than {} levels", kMaxPlanDepth),
                "a plan needs about ten levels: look for a bracket or an indentation too many");
      throw StopReading{};
    }
    if (!stack_.empty() && stack_.back().value.kind == ValueKind::kMap && !stack_.back().has_key) {
      add_error(findings_, "yaml.key", place(mark), "a key must be a text, not a list or map",
                "quote the key, or close the bracket before it");
      throw StopReading{};
    }
    Open opened;
    opened.value.kind = kind;
    opened.value.place = place(mark);
    stack_.push_back(std::move(opened));
  }

  void close() {
    Value value = std::move(stack_.back().value);
    stack_.pop_back();
    add(std::move(value));
  }

  void add(Value value) {
    if (++nodes_ > kMaxPlanNodes) {
      add_error(findings_, "yaml.size", value.place, fmt::format("more than {} values", kMaxPlanNodes),
                "split the plan");
      throw StopReading{};
    }
    if (stack_.empty()) {
      root_ = std::move(value);
      return;
    }
    Open& top = stack_.back();
    if (top.value.kind == ValueKind::kList) {
      top.value.items.push_back(std::move(value));
    } else if (!top.has_key) {
      take_key(top, value);
    } else {
      top.has_key = false;
      // The mark of nothing is where the next token stands, perhaps lines below.
      if (value.kind == ValueKind::kNull) value.place = top.key_place;
      if (!top.drop_key) top.value.entries.push_back({std::move(top.key), top.key_place, std::move(value)});
    }
  }

  void take_key(Open& top, const Value& key) {
    top.has_key = true;
    top.key = key.text;
    top.key_place = key.place;
    top.drop_key = true;
    if (key.kind != ValueKind::kScalar || key.text.empty()) {
      add_error(findings_, "yaml.key", key.place, "a key must be a text", "write the key before the colon");
    } else if (key.text == "<<") {
      add_error(findings_, "yaml.merge", key.place, "the merge key << is not allowed in a plan",
                "write the keys out where they are needed");
    } else if (const auto [first, is_new] = top.seen.try_emplace(key.text, key.place); !is_new) {
      add_error(findings_, "yaml.duplicate_key", key.place,
                fmt::format("the key \"{}\" stands twice in this map, first in line {}", key.text, first->second.line),
                "keep one of them");
    } else {
      top.drop_key = false;
    }
  }

  const PlaceFinder& places_;
  Findings& findings_;
  std::vector<Open> stack_;
  std::optional<Value> root_;
  std::size_t nodes_ = 0;
};

// What yaml-cpp would misread: it takes some control characters for its own signs.
bool refuse_bytes(std::string_view bytes, const PlaceFinder& places, Findings& findings) {
  if (bytes.size() > kMaxPlanBytes) {
    add_error(findings, "yaml.size", {1, 1}, fmt::format("the file is larger than {} bytes", kMaxPlanBytes),
              "a plan is text for people: split it, or check that this is the plan");
    return true;
  }
  if (const auto bad = first_bad_utf8(bytes)) {
    add_error(findings, "yaml.encoding", places.at_offset(*bad), "this is not UTF-8", "save the file as UTF-8");
    return true;
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    // yaml-cpp takes a lone carriage return for a line end, people's editors do not.
    if (is_control(byte) || (byte == '\r' && !bytes.substr(i).starts_with("\r\n"))) {
      add_error(findings, "yaml.control_character", places.at_offset(i),
                fmt::format("the control character 0x{:02x} is not allowed in a plan", byte), "delete it");
      return true;
    }
  }
  if (const auto unseen = first_unseen(bytes)) {
    add_error(findings, "yaml.control_character", places.at_offset(unseen->first),
              fmt::format("the unseen character U+{:04X} is not allowed in a plan", std::uint32_t{unseen->second}),
              "delete it; the text beside it may read differently then");
    return true;
  }
  return false;
}

void refuse_syntax(const YAML::Exception& error, const PlaceFinder& places, Findings& findings) {
  const Place place = error.mark.is_null()
                          ? Place{1, 1}
                          : places.at_byte_column(static_cast<std::size_t>(std::max(error.mark.line, 0)),
                                                  static_cast<std::size_t>(std::max(error.mark.column, 0)));
  const bool alias = error.msg.find("anchor") != std::string::npos;
  add_error(findings, alias ? "yaml.anchor" : "yaml.syntax", place, "this is not YAML: " + error.msg,
            alias ? "write the value out where it is needed"
                  : "check the indentation, quotes and brackets before this place");
}

}  // namespace

std::optional<Value> read_yaml(std::string_view bytes, Findings& findings) {
  if (bytes.starts_with("\xef\xbb\xbf")) bytes.remove_prefix(3);
  const PlaceFinder places(bytes);
  if (refuse_bytes(bytes, places, findings)) return std::nullopt;
  ValueBuilder builder(places, findings);
  try {
    std::istringstream stream{std::string(bytes)};
    YAML::Parser parser(stream);
    if (parser.HandleNextDocument(builder)) {
      std::optional<Value> root = builder.take_root();
      ValueBuilder second(places, findings);
      if (parser.HandleNextDocument(second)) {
        const auto extra = second.take_root();
        add_error(findings, "yaml.documents", extra ? extra->place : Place{1, 1}, "a plan is one YAML document",
                  "remove the line ---, or put the rest into a file of its own");
      }
      if (root && root->kind != ValueKind::kNull) return root;
    }
    add_error(findings, "yaml.empty", {1, 1}, "the file holds no plan", "begin with: version: 1");
  } catch (const StopReading&) {
  } catch (const YAML::Exception& error) {
    refuse_syntax(error, places, findings);
  } catch (const std::exception& error) {
    add_error(findings, "yaml.syntax", {1, 1}, std::string("this is not YAML: ") + error.what(), "check the file");
  }
  return std::nullopt;
}

}  // namespace anclora::plan
