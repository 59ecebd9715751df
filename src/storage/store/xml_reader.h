// A small strict reader of the XML that S3 answers with: elements, text, the five predefined entities and character
// references. No document types, no processing instructions but the declaration, no namespaces (the prefix stays in
// the name); attributes are checked and dropped.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace anclora::storage {

struct XmlElement {
  std::string name;
  std::string text;  // of this element itself, all pieces joined
  std::vector<XmlElement> children;

  // The first child of that name, or nullptr.
  const XmlElement* child(std::string_view wanted) const;
  // Its text, or "".
  std::string child_text(std::string_view wanted) const;
};

// The root element. kDataLoss, naming the offset, for what is not well-formed, over 16 MiB, over 16 levels deep, or
// over 100,000 elements.
Result<XmlElement> parse_xml(std::string_view text);

}  // namespace anclora::storage
