// The shop mix for k6, with the weights of Online Boutique's load generator: index 1, set currency 2, browse a product 10, add to
// cart 2, view the cart 3, check out 1. A virtual user is a visitor with a cart and a currency.
//
//   k6 run -e URL=http://127.0.0.1:3000 -e RATE=100 -e SECONDS=10 tests/bench/shop_mix.js        tests/bench/k6.py starts a shop for it
//
// RATE visits a second are due whatever is answered. Every answer must be as expected, none may fail; P95 is the limit in milliseconds.
import { check } from 'k6';
import exec from 'k6/execution';
import http from 'k6/http';

const url = __ENV.URL;
const p95 = Number(__ENV.P95 || 50);
const seconds = Number(__ENV.SECONDS || 10);

export const options = {
  scenarios: {
    visits: {
      executor: 'constant-arrival-rate',
      rate: Number(__ENV.RATE || 100),
      timeUnit: '1s',
      duration: `${seconds}s`,
      preAllocatedVUs: 30,
      maxVUs: 60,
    },
  },
  thresholds: {
    http_req_failed: ['rate==0'],
    checks: ['rate==1'],
    dropped_iterations: ['count==0'],
    http_req_duration: [`p(95)<${p95}`],
    'http_req_duration{name:list}': [`p(95)<${p95}`],
    'http_req_duration{name:detail}': [`p(95)<${p95}`],
    'http_req_duration{name:currencies}': [`p(95)<${p95}`],
    'http_req_duration{name:cart}': [`p(95)<${p95}`],
    'http_req_duration{name:add}': [`p(95)<${p95}`],
    'http_req_duration{name:order}': [`p(95)<${p95 * 2}`],
  },
  summaryTrendStats: ['med', 'p(95)', 'p(99)', 'max'],
  discardResponseBodies: false,
};

const visits = [[index, 1], [setCurrency, 2], [browse, 10], [addToCart, 2], [viewCart, 3], [checkOut, 1]];
const total = visits.reduce((sum, [, weight]) => sum + weight, 0);

export function setup() {
  const listed = http.get(`${url}/products?limit=100&sortBy=sku&sortOrder=asc&inStock=true`).json('data');
  const products = listed.map((p) => ({ id: p.id, variants: p.variants.filter((v) => v.stockQuantity >= 20).map((v) => v.id) }));
  const currencies = http.get(`${url}/products/currencies`).json().map((c) => c.code);
  return { products: products.filter((p) => p.variants.length > 0), currencies };
}

let currency;
let cart;

export default function (data) {
  let at = Math.random() * total;
  for (const [visit, weight] of visits) {
    at -= weight;
    if (at < 0) return visit(data);
  }
  return undefined;
}

const any = (list) => list[Math.floor(Math.random() * list.length)];

function named(name) {
  const headers = { 'Content-Type': 'application/json' };
  if (currency) headers['X-Currency'] = currency;
  return { headers, tags: { name } };
}

function expected(response, status, holds) {
  check(response, { 'status as expected': (r) => r.status === status, 'body as expected': (r) => r.status === status && holds(r) });
  return response;
}

function index() {
  expected(http.get(`${url}/products?page=1&limit=20`, named('list')), 200, (r) => r.json('data').length > 0);
}

function setCurrency(data) {
  expected(http.get(`${url}/products/currencies`, named('currencies')), 200, (r) => r.json().length === data.currencies.length);
  currency = any(data.currencies);
}

function browse(data) {
  const product = any(data.products);
  expected(http.get(`${url}/products/id/${product.id}`, named('detail')), 200, (r) => r.json('data.id') === product.id);
  return product;
}

function addToCart(data) {
  const product = browse(data);
  if (!cart) cart = expected(http.post(`${url}/carts`, '{}', named('new cart')), 201, (r) => r.json('items').length === 0).json('id');
  const variantId = any(product.variants);
  const body = JSON.stringify({ productId: product.id, variantId, quantity: 1, price: 1 });
  expected(http.post(`${url}/carts/${cart}/items`, body, named('add')), 200, (r) => r.json('items').some((i) => i.variantId === variantId));
}

function viewCart(data) {
  if (!cart) return addToCart(data);
  expected(http.get(`${url}/carts/${cart}`, named('cart')), 200, (r) => r.json('id') === cart);
  return undefined;
}

// Orders what lies in the cart, once, and takes a new cart.
function checkOut(data) {
  addToCart(data);
  const lines = http.get(`${url}/carts/${cart}`, named('cart')).json('items');
  const request = named('order');
  request.headers['Idempotency-Key'] = `k6-${cart}-${exec.scenario.iterationInTest}`;
  const body = JSON.stringify({
    guestEmail: 'k6@example.org', phone: '555-0100', paymentMethod: 'CASH_ON_DELIVERY',
    shippingAddress: { address: '1 Main Street', city: 'Montpellier' },
    items: lines.slice(0, 10).map((l) => ({ variantId: l.variantId, quantity: l.quantity })),
  });
  expected(http.post(`${url}/orders`, body, request), 201, (r) => r.json('items').length === Math.min(10, lines.length));
  cart = undefined;
}

export function handleSummary(data) {
  return { stdout: `${JSON.stringify({ metrics: data.metrics })}\n` };
}
