#include "respond/report/report_pdf.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "respond/report/render_report.h"
#include "respond/testing/sample_reports.h"

namespace anclora::respond {
namespace {

using namespace std::chrono_literals;

class ReportPdf : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "pdfXXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string script(const std::string& text) {
    const std::string path = folder_ + "/converter";
    std::ofstream(path) << "#!/bin/sh\n" << text << "\n";
    ::chmod(path.c_str(), 0700);
    return path;
  }
  Status write(PdfConverter converter, const Bytes& html = "<p>x</p>") {
    return write_pdf(posix_file_system(), html, folder_ + "/r.pdf", converter);
  }
  bool leaves_nothing() {
    return !std::filesystem::exists(folder_ + "/r.pdf") && !std::filesystem::exists(folder_ + "/r.pdf.log");
  }
  std::string read(const std::string& name) {
    return posix_file_system().read_all(folder_ + "/" + name).value_or(std::string());
  }

  std::string folder_;
};

TEST_F(ReportPdf, NamesThePackageThatIsMissing) {
  const Status done = write({"no-such-converter", "", 1min});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind(), ErrorKind::kFailedPrecondition);
  EXPECT_NE(done.error().hint().find("apt-get install weasyprint"), std::string::npos);
  EXPECT_TRUE(leaves_nothing());
}

TEST_F(ReportPdf, GivesUpAtTheTimeLimit) {
  const Status done = write({script("sleep 60"), "", 200ms});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind(), ErrorKind::kDeadlineExceeded);
  EXPECT_TRUE(leaves_nothing());
}

TEST_F(ReportPdf, SaysWhatTheConverterSaidAndLeavesNothing) {
  const Status done = write({script("echo half > \"$4\"; echo first; echo 'no fonts'; exit 3"), "", 1min});
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message().find("ended with 3: no fonts"), std::string::npos) << done.error().message();
  EXPECT_TRUE(leaves_nothing());
}

TEST_F(ReportPdf, GivesTheConverterThePageAndNothingOfOurEnvironment) {
  ::setenv("ANCLORA_TEST_SECRET", "hunter2", 1);
  ASSERT_TRUE(write({script("cat > \"$4\"; env > \"$4.env\""), "/usr/bin:/bin", 1min}, "<p>ñ</p>"));
  ::unsetenv("ANCLORA_TEST_SECRET");
  EXPECT_EQ(read("r.pdf"), "<p>ñ</p>");
  EXPECT_EQ(read("r.pdf.env").find("hunter2"), std::string::npos);
  EXPECT_NE(read("r.pdf.env").find("http_proxy=http://127.0.0.1:9"), std::string::npos);
}

TEST_F(ReportPdf, IsMadeOfARealReport) {
  const Bytes html = render_report(testing::closed_incident(), ReportFormat::kHtml, Language::kSpanish);
  const Status done = write({}, html);
  ASSERT_TRUE(done) << done.error().message();
  EXPECT_TRUE(read("r.pdf").starts_with("%PDF-"));
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/r.pdf.log"));
}

}  // namespace
}  // namespace anclora::respond
