#include "apps/service_process.hpp"

int main(int argc, char** argv) { return shop::run_gateway(argc, argv); }
