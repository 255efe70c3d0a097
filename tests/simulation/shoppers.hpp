// Customers and staff: what they do is drawn from the seed, what they were told is kept.
#pragma once

#include <deque>
#include <set>

#include "simulation/world.hpp"

namespace shop::simulation {

using simulated::Dice;

struct Acknowledged {
  std::string order;
  std::int64_t total_minor = 0;
  std::vector<std::pair<std::string, std::int64_t>> prices;  // variant, in minor units
};

// One customer's wish for one order, however often it was sent.
struct Placing {
  int number = 0;
  std::string key, buyer;  // no key: each sending may become an order
  std::string guest_token, token;
  std::vector<std::pair<std::string, std::int64_t>> lines;
  std::string body;
  std::string changed_body;  // sent under the same key; must be refused
  Monotonic first_sent{}, last_answer{};
  int sent = 0;
  std::vector<Acknowledged> acknowledged;
  bool open = false;  // sent, and no final answer yet
};

struct Adjusting {
  int number = 0;
  std::string key, variant;
  std::int64_t change = 0;
  int sent = 0, acknowledged = 0;
  bool open = false;
};

// A cart, and what was put into it.
struct Filling {
  std::string id;
  std::string customer;  // whose it was to become: id; empty: a guest's
  std::string email;     // the same one
  bool made = false, associated = false;  // acknowledged
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> lines;  // variant -> acknowledged, sent
};

struct Told {
  std::string order, state;  // "CANCELLED": the shop said that it is
};

// A price that somebody set: in force at some moment between `sent` and `answered`, until another one is.
struct PriceSet {
  std::int64_t minor = 0;
  Monotonic sent, answered;  // max: no answer, any time from then on
};

struct Ledger {
  std::deque<Placing> placings;      // deques: elements stay where they are while coroutines look at them
  std::deque<Adjusting> adjustings;
  std::deque<Filling> fillings;
  std::vector<Told> told;
  std::map<std::string, std::vector<PriceSet>> prices;       // by variant
  std::map<std::string, std::int64_t> reviews;               // by product: the number of the last
  std::map<std::string, std::int64_t> review_events;         // by product: how many different ones
  std::map<std::string, bool> registered;                    // by e-mail: whether it was acknowledged
  std::set<std::string> created_skus;
  std::vector<std::string> complaints;                       // what no client should ever see
  std::map<std::string, std::int64_t> done;                  // operations by kind
  std::map<int, std::int64_t> statuses;
};

class Shoppers {
 public:
  Shoppers(World& world, Dice dice, int operations);

  void open();                       // several at once; returns at once
  bool finished() const { return running_ == 0; }
  void resume();                     // in fine weather: what was left without an answer is asked again
  void look();                       // in fine weather: everybody sees what the stores hold
  Ledger& ledger() { return ledger_; }

  // Single operations, for the failure loop.
  Task<> log_in();
  using Lines = std::vector<std::pair<std::string, std::int64_t>>;
  Placing& new_placing(bool keyed);  // of lines that are drawn
  Placing& new_placing(bool keyed, Lines lines);
  Task<bool> send(Placing& placing, const std::string& body);  // false: no final answer
  Task<bool> cancel(const std::string& order, const std::string& guest_token, const std::string& token);
  Adjusting& new_adjusting();
  Task<bool> send(Adjusting& adjusting);
  Task<bool> set_price(std::size_t item);
  Task<bool> create_product(const std::string& sku, bool retry);
  Filling& new_filling();
  Task<bool> make(Filling& filling);  // true: it was acknowledged
  Task<bool> add(Filling& filling, const Beginning::Item& item, std::int64_t quantity, int attempts);
  Task<bool> associate(Filling& filling, std::size_t account);
  void log_out();  // customers

 private:
  struct Answer {
    int status = 0;  // 0: none
    std::string body;
  };
  struct Account {
    std::string email, id, token;
    std::optional<Monotonic> deactivated;  // the shop said so
    int activations = 0, activating = 0;   // all, and those under way
    bool touched = false;                  // an unanswered change may still be under way
  };

  Task<> shop(Dice dice);
  Task<> ask_again();
  Task<> look_around();
  Task<> act(Dice& dice);
  Task<Answer> ask(std::string service, Method method, std::string target, std::string token, std::string body, std::string key = {});
  Task<Answer> as_admin(std::string service, Method method, std::string target, std::string body, std::string key = {});
  Task<std::string> token_of(std::string email);
  Task<> place(Dice& dice);
  Task<> send_often(Placing& placing, int attempts);
  Task<> send_beside(Placing& placing);
  Task<> cancel_some(Dice& dice);
  Task<> advance_some(Dice& dice);
  Task<> adjust(Dice& dice);
  Task<> toggle_product(Dice& dice);
  Task<> read_product(Dice& dice);
  Task<> read_order(Dice& dice);
  Task<> register_somebody(Dice& dice);
  Task<> change_account(Dice& dice);
  Task<> review(Dice& dice);
  Task<> use_cart(Dice& dice);
  Task<> associate_often(Filling& filling, std::size_t account);
  Task<> associate_beside(Filling& filling, std::size_t account);
  Task<> search();
  Task<std::string> token_for(std::string email);  // of a customer; empty: there is none now
  void complain(std::string what) { ledger_.complaints.push_back(std::move(what)); }
  bool price_possible(const std::string& variant, std::int64_t minor, Monotonic from, Monotonic to) const;

  World& world_;
  Dice dice_;
  int left_;
  int running_ = 0;
  int numbers_ = 0;
  Ledger ledger_;
  std::string admin_token_;
  std::vector<Account> accounts_;
  std::set<std::string> reviewing_;  // products: one event after the other
};

}  // namespace shop::simulation
