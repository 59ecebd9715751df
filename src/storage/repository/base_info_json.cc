#include "storage/repository/base_info_json.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "storage/repository/json_fields.h"

namespace anclora::storage {

nlohmann::json base_info_json(const BaseInfo& base) {
  return {{"name", base.name},
          {"timeline", base.timeline.value},
          {"offset", base.offset.value},
          {"database", base.database},
          {"rdb_bytes", base.rdb_bytes},
          {"stored_bytes", base.stored_bytes},
          {"parts", base.parts},
          {"rdb_crc64", fmt::format("{:016x}", base.rdb_crc64)},
          {"rdb_version", base.rdb_version},
          {"redis_version", base.redis_version},
          {"time", format_rfc3339(base.time)},
          {"origin", base.origin},
          {"used_memory_bytes", base.used_memory_bytes}};
}

BaseInfo read_base_info_json(const nlohmann::json& json) {
  BaseInfo base;
  base.name = text_of(json, "name");
  base.timeline = TimelineId{number32_of(json, "timeline")};
  base.offset = offset_of(json, "offset");
  base.database = number32_of(json, "database");
  base.rdb_bytes = number_of(json, "rdb_bytes", INT64_MAX);
  base.stored_bytes = number_of(json, "stored_bytes", INT64_MAX);
  base.parts = number32_of(json, "parts");
  const Result<Bytes> crc = from_hex(text_of(json, "rdb_crc64"));
  if (!crc || crc->size() != sizeof base.rdb_crc64) refuse_document("field \"rdb_crc64\" is not 16 hex digits");
  for (char c : *crc) base.rdb_crc64 = base.rdb_crc64 << 8 | static_cast<std::uint8_t>(c);
  base.rdb_version = number32_of(json, "rdb_version");
  base.redis_version = text_of(json, "redis_version");
  base.time = time_of(json, "time");
  base.origin = text_of(json, "origin");
  base.used_memory_bytes = number_of(json, "used_memory_bytes");
  return base;
}

}  // namespace anclora::storage
