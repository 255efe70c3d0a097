// Examines the stores of a shop for the invariants I1 to I8 (docs/integrity.md), reading the tables themselves: what a service
// says of itself would prove less. Works on SQLite and PostgreSQL alike, on a shop that runs or one that is stopped.
//
// Stores of different services are read one after the other. While a shop runs, what lies between two of them may be in
// flight; `examine` therefore looks again until two looks agree, or `patience` is over, and reports what stood in every look.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ports/clock.hpp"
#include "ports/database.hpp"
#include "ports/event_log.hpp"
#include "ports/search_index.hpp"
#include "ports/service_caller.hpp"

namespace shop {

// Those that are missing are not examined; the report says so.
struct DoctorStores {
  Database* auth = nullptr;
  Database* product = nullptr;
  Database* order = nullptr;
  Database* events = nullptr;        // of the embedded event log
  EventLog* log = nullptr;
  SearchListing* index = nullptr;
};

enum class Repair { none, settle_reservation, release_stock, resend_users, reindex };

struct Finding {
  std::string invariant;  // "I2"
  std::string subject;    // "order 0198…", "variant 0198…", "user …"; with the invariant it names the finding
  std::string message;
  std::vector<std::string> rows;  // that show it
  Repair repair = Repair::none;
  std::string id;                 // of what the repair is for
  std::string mended;             // what was done, or why it could not be
};

std::string key_of(const Finding& finding);  // invariant and subject

// Work that waits for a process. Beside a shop that runs it moves on; what still begins at the same place after the whole of the
// patience does not.
struct Waiting {
  std::string subject, place, row;
};

struct DoctorReport {
  std::vector<Finding> findings;
  std::vector<Waiting> begun;
  std::map<std::string, std::int64_t> counted;  // what was looked at
  std::map<std::string, std::int64_t> waiting;  // work that is under way or will go on when the shop runs: no fault
  std::vector<std::string> not_checked;
};

class Doctor {
 public:
  struct Options {
    milliseconds patience{0};
    std::vector<std::string> acknowledged;  // ids of orders that somebody was given (I3)
  };

  Doctor(DoctorStores stores, Clock& clock) : stores_(stores), clock_(clock) {}

  Task<Result<DoctorReport>> examine(const Context& context, const Options& options);

  // Mends what can be derived: reservations without an order, stock of orders that were cancelled, copies, the index. Through the services'
  // own routes, as an operator; each finding says what was done. Stock and money are never set.
  Task<> mend(const Context& context, ServiceCaller& services, DoctorReport& report);

 private:
  Task<Result<DoctorReport>> look(const Context& context, const Options& options);
  Task<Result<void>> stock(const Context& context, DoctorReport& report);
  Task<Result<void>> orders(const Context& context, DoctorReport& report);
  Task<Result<void>> kept_answers(const Context& context, const Options& options, DoctorReport& report);
  Task<Result<void>> users(const Context& context, DoctorReport& report);
  Task<Result<void>> events(const Context& context, DoctorReport& report);
  Task<Result<void>> told(const Context& context, DoctorReport& report);
  Task<Result<void>> index(const Context& context, DoctorReport& report);
  Task<Result<void>> files(const Context& context, DoctorReport& report);

  const DoctorStores stores_;
  Clock& clock_;
};

}  // namespace shop
