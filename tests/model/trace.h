/* Compiled into the judge: reads placings from its input, gives each to a process of its own, and says which the model does not allow.

     placing keyed|free ANYTHING
     ACTION ORDER ANSWER [unsure]
     QUIET
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_STEPS 1000
static struct {
  char text[80];
  unsigned char action, order, answer, unsure;
} trace_steps[MOST_STEPS + 1];
static int trace_length, furthest;
static unsigned char unsure_step;
static char title[200];
static FILE *report;
static char names[64][16];

static void learn(const char *name, int number) { snprintf(names[number], sizeof names[number], "%s", name); }

static unsigned char named(const char *name) {
  for (int i = 1; i < 64; ++i) {
    if (strcmp(names[i], name) == 0) return i;
  }
  fprintf(stderr, "judge: the model does not know %s\n", name);
  exit(2);
}

static void load_step(int at, unsigned char *action, unsigned char *order, unsigned char *answer, unsigned char *unsure) {
  if (at > furthest) furthest = at;
  *action = trace_steps[at].action;
  *order = trace_steps[at].order;
  *answer = trace_steps[at].answer;
  *unsure = trace_steps[at].unsure;
}

/* The search is over, or an assertion broke. */
static void refuse(void) {
  fprintf(report, "refused: %s\n", title);
  for (int i = 0; i <= furthest && i < trace_length; ++i) fprintf(report, "  %s%s\n", trace_steps[i].text, i == furthest ? "   <- not after these" : "");
  fflush(report);
  _exit(1);
}

static void allow(void) { _exit(0); }

static int read_placing(void) {
  char line[200];
  while (fgets(line, sizeof line, stdin)) {
    line[strcspn(line, "\n")] = 0;
    if (strncmp(line, "placing ", 8) == 0) break;
    line[0] = 0;
  }
  if (feof(stdin)) return 0;
  snprintf(title, sizeof title, "%s", line);
  memset(trace_steps, 0, sizeof trace_steps);
  for (trace_length = 0; trace_length < MOST_STEPS && fgets(line, sizeof line, stdin);) {
    char action[32], answer[32] = "NONE", unsure[32] = "";
    int order = 0;
    line[strcspn(line, "\n")] = 0;
    const int parts = sscanf(line, "%31s %d %31s %31s", action, &order, answer, unsure);
    if ((parts < 3 && strcmp(action, "QUIET") != 0) || order < 0 || order > 15) break;
    snprintf(trace_steps[trace_length].text, sizeof trace_steps[0].text, "%s", line);
    trace_steps[trace_length].action = named(action);
    trace_steps[trace_length].order = order;
    trace_steps[trace_length].answer = named(answer);
    trace_steps[trace_length].unsure = strcmp(unsure, "unsure") == 0;
    ++trace_length;
    if (strcmp(action, "QUIET") == 0) return 1;
  }
  fprintf(stderr, "judge: cannot read \"%s\" of %s\n", line, title);
  exit(2);
}

/* Returns in a process that has one placing to judge. */
static int judge(void) {
  int placings = 0, refused = 0, steps = 0;
  fflush(stdout);
  while (read_placing()) {
    ++placings;
    steps += trace_length;
    const pid_t child = fork();
    if (child < 0) { perror("judge: fork"); exit(2); }
    if (child == 0) {
      report = fdopen(dup(1), "w");
      if (!report || !freopen("/dev/null", "w", stdout)) _exit(2); /* what pan itself has to say */
      atexit(refuse);
      return strncmp(title, "placing keyed", 13) == 0;
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) > 1) { fprintf(stderr, "judge: died over %s\n", title); exit(2); }
    refused += WEXITSTATUS(status);
  }
  printf("judged: %d placings, %d steps, %d refused\n", placings, steps, refused);
  fflush(stdout);
  _exit(refused > 0);
}
