#include "storage/store/xml_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/bytes.h"

namespace anclora::storage {
namespace {

constexpr std::size_t kMaxBytes = 16 * kMiB;
constexpr std::size_t kMaxDepth = 16;
constexpr std::size_t kMaxElements = 100'000;
constexpr std::size_t kMaxReferenceBytes = 12;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.' || c == ':';
}

void append_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

class XmlParser {
 public:
  explicit XmlParser(std::string_view text) : text_(text) {}

  Result<XmlElement> document() {
    if (text_.size() > kMaxBytes) return fail("it is too large");
    take("\xEF\xBB\xBF");
    if (take("<?xml")) RETURN_IF_ERROR(skip_past("?>"));
    RETURN_IF_ERROR(skip_between_elements());
    XmlElement root;
    RETURN_IF_ERROR(element(root, 1));
    RETURN_IF_ERROR(skip_between_elements());
    if (at_ != text_.size()) return fail("something follows the root element");
    return root;
  }

 private:
  Error fail(std::string_view why) const {
    return Error(ErrorKind::kDataLoss, fmt::format("bad XML at byte {}: {}", at_, why));
  }
  bool at_end() const { return at_ >= text_.size(); }
  bool take(std::string_view token) {
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  void skip_space() {
    while (!at_end() && is_space(text_[at_])) ++at_;
  }
  Status skip_past(std::string_view token) {
    const std::size_t found = text_.find(token, at_);
    if (found == std::string_view::npos) return fail("it ends too early");
    at_ = found + token.size();
    return {};
  }
  Status skip_between_elements() {
    skip_space();
    while (take("<!--")) {
      RETURN_IF_ERROR(skip_past("-->"));
      skip_space();
    }
    return {};
  }
  Result<std::string> name() {
    const std::size_t begin = at_;
    while (!at_end() && is_name_char(text_[at_])) ++at_;
    if (at_ == begin) return fail("a name is missing");
    return std::string(text_.substr(begin, at_ - begin));
  }
  Status attributes() {
    for (skip_space(); !at_end() && is_name_char(text_[at_]); skip_space()) {
      ASSIGN_OR_RETURN(const std::string ignored, name());
      skip_space();
      if (!take("=")) return fail("an attribute has no value");
      skip_space();
      if (at_end() || (text_[at_] != '"' && text_[at_] != '\'')) return fail("an attribute's value is not quoted");
      const char quote = text_[at_++];
      RETURN_IF_ERROR(skip_past(std::string_view(&quote, 1)));
    }
    return {};
  }
  Status element(XmlElement& out, std::size_t depth) {
    if (depth > kMaxDepth) return fail("it is nested too deeply");
    if (++elements_ > kMaxElements) return fail("it has too many elements");
    if (!take("<")) return fail("an element is missing");
    ASSIGN_OR_RETURN(out.name, name());
    RETURN_IF_ERROR(attributes());
    if (take("/>")) return {};
    if (!take(">")) return fail("a tag does not end");
    RETURN_IF_ERROR(content(out, depth));
    ASSIGN_OR_RETURN(const std::string end, name());
    skip_space();
    if (end != out.name || !take(">")) return fail(fmt::format("the end tag of {} is missing", out.name));
    return {};
  }
  // Up to and with the "</" of the element's own end tag.
  Status content(XmlElement& out, std::size_t depth) {
    while (!at_end()) {
      if (take("</")) return {};
      if (take("<!--")) {
        RETURN_IF_ERROR(skip_past("-->"));
      } else if (text_.substr(at_).starts_with("<!") || text_.substr(at_).starts_with("<?")) {
        return fail("a declaration is not accepted here");
      } else if (text_[at_] == '<') {
        RETURN_IF_ERROR(element(out.children.emplace_back(), depth + 1));
      } else if (text_[at_] == '&') {
        RETURN_IF_ERROR(reference(out.text));
      } else {
        const std::size_t end = std::min(text_.find_first_of("<&", at_), text_.size());
        out.text.append(text_.substr(at_, end - at_));
        at_ = end;
      }
    }
    return fail("it ends inside an element");
  }
  Status reference(std::string& out) {
    const std::size_t end = text_.find(';', at_);
    if (end == std::string_view::npos || end - at_ > kMaxReferenceBytes) return fail("a reference does not end");
    const std::string_view body = text_.substr(at_ + 1, end - at_ - 1);
    static constexpr std::array<std::pair<std::string_view, char>, 5> kPredefined = {
        {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}}};
    const auto* known = std::ranges::find(kPredefined, body, &std::pair<std::string_view, char>::first);
    if (known != kPredefined.end()) {
      out += known->second;
    } else {
      RETURN_IF_ERROR(character(body, out));
    }
    at_ = end + 1;
    return {};
  }
  Status character(std::string_view body, std::string& out) {
    if (!body.starts_with('#')) return fail("an unknown entity");
    body.remove_prefix(1);
    const int base = body.starts_with('x') ? 16 : 10;
    if (base == 16) body.remove_prefix(1);
    std::uint32_t code = 0;
    const auto [end, error] = std::from_chars(body.data(), body.data() + body.size(), code, base);
    const bool whole = error == std::errc() && end == body.data() + body.size() && !body.empty();
    if (!whole || code == 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
      return fail("a character reference that is no character");
    }
    append_utf8(out, code);
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t elements_ = 0;
};

}  // namespace

const XmlElement* XmlElement::child(std::string_view wanted) const {
  const auto at = std::ranges::find(children, wanted, &XmlElement::name);
  return at == children.end() ? nullptr : &*at;
}

std::string XmlElement::child_text(std::string_view wanted) const {
  const XmlElement* found = child(wanted);
  return found == nullptr ? std::string() : found->text;
}

Result<XmlElement> parse_xml(std::string_view text) { return XmlParser(text).document(); }

}  // namespace anclora::storage
