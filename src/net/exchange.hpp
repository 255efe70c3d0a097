// One request and its answer on a server connection.
#pragma once

#include <span>

#include "base/http.hpp"
#include "base/result.hpp"
#include "base/task.hpp"
#include "net/stream.hpp"

namespace shop::net {

// Where the rest of a request comes from: a connection, or the value itself inside the process.
class BodySource {
 public:
  virtual ~BodySource() = default;

  // Reads all of it into request.body. too_large beyond `limit`; invalid when it ends early or its framing is wrong.
  virtual Task<Result<void>> read_all(Request& request, std::size_t limit) = 0;
};

class WholeBody final : public BodySource {
 public:
  Task<Result<void>> read_all(Request& request, std::size_t limit) override;
};

class Exchange : public BodySource {
 public:
  virtual Request& request() = 0;
  virtual Stream& stream() = 0;
  virtual bool internal_socket() const = 0;  // came over the local control socket

  // Streaming in: 0 at the end of the body.
  virtual Task<Result<std::size_t>> read_some(std::span<char> into) = 0;
  virtual bool has_body() const = 0;
  virtual std::optional<std::uint64_t> content_length() const = 0;  // nothing: chunked, or no body

  virtual Task<> send(Response response) = 0;

  // Streaming out: head, pieces, end. Without a length the body goes chunked.
  virtual Task<Result<void>> start(Response head, std::optional<std::uint64_t> length) = 0;
  virtual Task<Result<void>> write(std::span<const char> piece) = 0;
  virtual Task<Result<void>> finish() = 0;

  // Added to whatever answer is sent, unless it has a field of that name itself; to a Vary it is added.
  virtual Headers& extra_headers() = 0;

  virtual bool started() const = 0;       // something of the answer was sent
  virtual int status() const = 0;         // of the answer; 0 before
  virtual std::uint64_t bytes_sent() const = 0;
  virtual void abandon() = 0;             // the connection ends with this exchange
};

}  // namespace shop::net
