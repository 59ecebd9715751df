#include "storage/store/xml_reader.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace anclora::storage {
namespace {

TEST(XmlReader, ReadsElementsTextAndReferences) {
  const auto root = parse_xml(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- hello -->\n<List xmlns='http://x/'><Key>a&amp;b&lt;&#x2F;&#228;"
      "</Key><Empty/><Key a=\"1\" >second</Key >\n</List>\n");
  ASSERT_TRUE(root.has_value()) << root.error().to_string();
  EXPECT_EQ(root->name, "List");
  ASSERT_EQ(root->children.size(), 3U);
  EXPECT_EQ(root->child_text("Key"), "a&b</\xc3\xa4");
  EXPECT_EQ(root->children[2].text, "second");
  EXPECT_EQ(root->child_text("Missing"), "");
  EXPECT_EQ(root->child("Missing"), nullptr);
}

TEST(XmlReader, RefusesWhatIsNotPlainWellFormedXml) {
  for (const char* bad : {"",
                          "text",
                          "<a>",
                          "<a></b>",
                          "<a><b></a></b>",
                          "<a/><b/>",
                          "<a/>x",
                          "<a>&unknown;</a>",
                          "<a>&amp</a>",
                          "<a>&#0;</a>",
                          "<a>&#xD800;</a>",
                          "<a>&#x110000;</a>",
                          "<a>&#;</a>",
                          "<a>&#12x;</a>",
                          "<a b></a>",
                          "<a b=c></a>",
                          "<a b='c></a>",
                          "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>",
                          "<a><!DOCTYPE b></a>",
                          "<a><![CDATA[x]]></a>",
                          "<a><?pi x?></a>",
                          "<a",
                          "<a>text",
                          "<a></a",
                          "< a/>",
                          "<a><!-- x</a>",
                          "<?xml version='1.0'"}) {
    const auto parsed = parse_xml(bad);
    ASSERT_FALSE(parsed.has_value()) << bad;
    EXPECT_EQ(parsed.error().kind(), ErrorKind::kDataLoss) << bad;
    EXPECT_NE(parsed.error().message().find("at byte"), std::string::npos);
  }
}

TEST(XmlReader, LimitsDepthAndCount) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<a>";
  EXPECT_FALSE(parse_xml(deep).has_value());
  std::string many = "<a>";
  for (int i = 0; i < 100'001; ++i) many += "<b/>";
  EXPECT_FALSE(parse_xml(many + "</a>").has_value());
  EXPECT_FALSE(parse_xml("<a>" + std::string(17 * kMiB, 'x') + "</a>").has_value());
}

}  // namespace
}  // namespace anclora::storage
