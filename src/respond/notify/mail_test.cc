#include "respond/notify/mail.h"

#include <gtest/gtest.h>

#include <sstream>

namespace anclora::respond {
namespace {

const MailAddresses kAddresses{"anclora@orders.net", "anna@orders.net", "host"};

Message alert(std::string subject) {
  Message message;
  message.urgency = Urgency::kCritical;
  message.service = "orders";
  message.subject = std::move(subject);
  message.text = "line one\n.\nends in a blank \n";
  message.incident = "inc-1";
  message.acknowledge = "anclora incident ack inc-1";
  message.dedup_key = "inc-1";
  return message;
}

std::string mail_of(const Message& message) {
  return make_mail(message, kAddresses, parse_rfc3339("2026-11-24T19:43:51Z").value());
}

std::string header(const std::string& mail, const std::string& name) {
  const std::size_t at = mail.find("\r\n" + name + ": ");
  return at == std::string::npos ? ""
                                 : mail.substr(at + name.size() + 4, mail.find("\r\n", at + 2) - at - name.size() - 4);
}

TEST(Mail, HasTheHeadersThatAReceiverNeeds) {
  const std::string mail = mail_of(alert("Redis is lost"));
  EXPECT_TRUE(mail.starts_with("Date: Tue, 24 Nov 2026 19:43:51 +0000\r\n")) << mail;
  EXPECT_EQ(header(mail, "From"), "Anclora DR <anclora@orders.net>");
  EXPECT_EQ(header(mail, "To"), "<anna@orders.net>");
  EXPECT_EQ(header(mail, "Subject"), "Redis is lost");
  EXPECT_EQ(header(mail, "Auto-Submitted"), "auto-generated");
  EXPECT_EQ(header(mail, "Importance"), "high");
  EXPECT_NE(mail.find("\r\nAcknowledge: anclora incident ack inc-1\r\n"), std::string::npos);
}

TEST(Mail, ASubjectCannotBeginAnotherHeader) {
  const std::string mail = mail_of(alert("lost\r\nBcc: all@orders.net\r\n\r\nhello\x1b[2J\n"));
  EXPECT_EQ(header(mail, "Bcc"), "");
  EXPECT_EQ(header(mail, "Subject"), "lost  Bcc: all@orders.net    hello [2J ");
}

TEST(Mail, OtherLettersAreEncodedWordByWordWithoutCuttingOne) {
  std::string subject;
  for (int i = 0; i < 30; ++i) subject += "ñ€😀";
  const std::string encoded = encode_header(subject);
  std::istringstream lines(encoded);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 78U) << line;
  EXPECT_EQ(encode_header("Avería"), "=?UTF-8?B?QXZlcsOtYQ==?=");
  EXPECT_EQ(encode_header("a"), "a");
  EXPECT_EQ(encode_header("=?UTF-8?Q?x?="), "=?UTF-8?B?PT9VVEYtOD9RP3g/PQ==?=");
}

TEST(Mail, EveryLineIsShortAndInAscii) {
  Message message = alert("x");
  message.text = std::string(500, 'a') + "\n" + std::string(100, '=') + "\nespañol\xff\x01";
  const std::string mail = mail_of(message);
  for (std::size_t at = 0, end = 0; (end = mail.find("\r\n", at)) != std::string::npos; at = end + 2)
    EXPECT_LE(end - at, 76U);
  for (const char c : mail) EXPECT_TRUE((c >= 0x20 && c < 0x7f) || c == '\r' || c == '\n');
  EXPECT_NE(mail.find("espa=C3=B1ol?=20\r\n"), std::string::npos) << mail;
  EXPECT_NE(mail_of(alert("x")).find("ends in a blank=20\r\n"), std::string::npos);
}

TEST(Mail, ARepeatHasTheSameIdAndAnotherTextAnother) {
  const std::string id = header(mail_of(alert("one")), "Message-ID");
  EXPECT_EQ(header(mail_of(alert("one")), "Message-ID"), id);
  EXPECT_NE(header(mail_of(alert("two")), "Message-ID"), id);
  EXPECT_EQ(header(mail_of(alert("two")), "References"), header(mail_of(alert("one")), "References"));
}

TEST(Mail, AnAddressIsOneAddress) {
  EXPECT_TRUE(check_mail_address("anna.ruiz+oncall@orders.net").has_value());
  for (const char* wrong : {"", "anna", "@orders.net", "anna@", "a@b,c@d", "a@b>", "a b@c", "a@b\r\nDATA", "ñ@b.es",
                            "a@b@c", "<a@b>", "a@b;c"})
    EXPECT_FALSE(check_mail_address(wrong).has_value()) << wrong;
}

TEST(Message, CutsBetweenCharactersAndReplacesWhatATerminalWouldObey) {
  EXPECT_EQ(one_line("ññ", 3), "ñ");
  EXPECT_EQ(one_line("a\xc2\x9b"
                     "31mb\x7f",
                     99),
            "a 31mb ");
  EXPECT_EQ(one_line("\xed\xa0\x80\xc0\xaf", 99), "?????");
}

}  // namespace
}  // namespace anclora::respond
