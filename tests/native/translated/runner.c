/* Executes the cases of a file and writes what became of each to stdout.
 *
 *   runner FILE MODE    MODE: p plain, t under a 10 kHz timer, s single-stepped
 *
 * No C library: FS, the stack and all registers belong to the cases. */
#include "case_file.h"

typedef uint64_t word;

/* What the assembly below reads and writes. */
word initial[16], initial_flags, final[16], final_flags, own_stack, code_address;
uint8_t initial_vectors[16384] __attribute__((aligned(64)));
uint8_t final_vectors[16384] __attribute__((aligned(64)));
void run_case(void);
void leave_case(void);
void restore_signal(void);
void overwrite_vectors(void);
word call_kernel(word number, word a, word b, word c, word d, word e, word f);

__asm__(
    ".text\n"
    ".globl _start\n"
    "_start:\n"
    "  mov %rsp, %rdi\n"
    "  and $-16, %rsp\n"
    "  call run_all\n"
    "run_case:\n"
    "  push %rbx\n  push %rbp\n  push %r12\n  push %r13\n  push %r14\n  push %r15\n"
    "  mov %rsp, own_stack\n"
    "  mov $-1, %eax\n"
    "  mov $-1, %edx\n"
    "  xrstor64 initial_vectors\n"
    "  mov initial+0, %rax\n  mov initial+8, %rcx\n  mov initial+16, %rdx\n"
    "  mov initial+24, %rbx\n  mov initial+40, %rbp\n"
    "  mov initial+48, %rsi\n  mov initial+56, %rdi\n  mov initial+64, %r8\n"
    "  mov initial+72, %r9\n  mov initial+80, %r10\n  mov initial+88, %r11\n"
    "  mov initial+96, %r12\n  mov initial+104, %r13\n  mov initial+112, %r14\n"
    "  mov initial+120, %r15\n"
    "  push initial_flags\n" /* last: with the trap flag, steps are signals */
    "  popfq\n"
    "  mov initial+32, %rsp\n"
    "  jmp *code_address\n"
    "leave_case:\n"
    "  mov %rsp, final+32\n"
    "  mov own_stack, %rsp\n"
    "  pushfq\n"
    "  pop final_flags\n"
    "  push $2\n"
    "  popfq\n"
    "  mov %rax, final+0\n  mov %rcx, final+8\n  mov %rdx, final+16\n"
    "  mov %rbx, final+24\n  mov %rbp, final+40\n"
    "  mov %rsi, final+48\n  mov %rdi, final+56\n  mov %r8, final+64\n"
    "  mov %r9, final+72\n  mov %r10, final+80\n  mov %r11, final+88\n"
    "  mov %r12, final+96\n  mov %r13, final+104\n  mov %r14, final+112\n"
    "  mov %r15, final+120\n"
    "  mov $-1, %eax\n"
    "  mov $-1, %edx\n"
    "  xsave64 final_vectors\n"
    "  pop %r15\n  pop %r14\n  pop %r13\n  pop %r12\n  pop %rbp\n  pop %rbx\n"
    "  ret\n"
    "restore_signal:\n"
    "  mov $15, %eax\n"
    "  syscall\n"
    "call_kernel:\n"
    "  mov %rdi, %rax\n  mov %rsi, %rdi\n  mov %rdx, %rsi\n  mov %rcx, %rdx\n"
    "  mov %r8, %r10\n  mov %r9, %r8\n  mov 8(%rsp), %r9\n"
    "  syscall\n"
    "  ret\n"
    "overwrite_vectors:\n"
    "  fninit\n"
    "  fldpi\n"
    "  pcmpeqd %xmm0, %xmm0\n  pcmpeqd %xmm3, %xmm3\n  pcmpeqd %xmm7, %xmm7\n"
    "  pcmpeqd %xmm9, %xmm9\n  pcmpeqd %xmm15, %xmm15\n"
    "  ret\n"
    ".section .note.GNU-stack, \"\", @progbits\n"
    ".text\n");

enum {
  kRead,
  kWrite,
  kMmap = 9,
  kMprotect = 10,
  kMunmap = 11,
  kSigaction = 13,
  kOpen = 2,
  kSetitimer = 38,
  kExit = 60,
  kAltstack = 131,
  kArchPrctl = 158,
  kSetrlimit = 160,
  kSetaffinity = 203
};
enum { kSigIll = 4, kSigTrap = 5, kSigBus = 7, kSigFpe = 8, kSigSegv = 11, kSigAlrm = 14 };

static __attribute__((noreturn)) void quit(int status) {
  for (;;) call_kernel(kExit, (word)status, 0, 0, 0, 0, 0);
}

static word kernel(word number, word a, word b, word c) {
  return call_kernel(number, a, b, c, 0, 0, 0);
}

struct information {
  int32_t signal, error, code, padding;
  word address;
};

struct context {
  word flags, link, stack[3];
  word r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
  word segments, error, trap, mask, fault_address;
};

static struct case_result results[256];
static struct case_result* result;
static const struct instruction_case* current;
static char mode;
static word last_rip;
static volatile int is_running;
static uint8_t signal_stack[65536] __attribute__((aligned(64)));

static const word kTrace = 0x100, kArithmetic = 0x8d5, kMaxFaults = 64;

static int is_in_case(word rip) {
  return rip >= current->code && rip < current->code + current->start[current->starts - 1];
}

static int is_repeated(word rip) {
  const uint8_t* at = (const uint8_t*)rip;
  int repeats = 0;
  for (;; ++at) {
    if (*at == 0xf2 || *at == 0xf3)
      repeats = 1;
    else if (*at != 0x66 && *at != 0x67 && *at != 0x2e && *at != 0x36 && *at != 0x3e &&
             *at != 0x26 && *at != 0x64 && *at != 0x65 && (*at & 0xf0) != 0x40)
      break;
  }
  return repeats && ((*at >= 0xa4 && *at <= 0xa7) || (*at >= 0xaa && *at <= 0xaf) ||
                     (*at >= 0x6c && *at <= 0x6f));
}

static void note_step(word rip) {
  const int is_again = rip == last_rip && is_repeated(rip);
  const word way_out = current->code + current->start[current->starts - 1];
  if ((is_in_case(last_rip) || last_rip == way_out) && !is_again) ++result->steps;
  last_rip = rip;
}

static void note_fault(const struct information* information, const struct context* context) {
  struct case_fault* fault = &result->fault[result->faults];
  fault->signal = information->signal;
  fault->code = information->code;
  fault->address = information->address;
  fault->rip = context->rip;
  fault->flags = context->rflags;
  fault->trap = context->trap;
  fault->error = context->error;
  fault->fault_address = context->trap == 14 ? context->fault_address : 0;
  const word registers[16] = {context->rax, context->rcx, context->rdx, context->rbx,
                              context->rsp, context->rbp, context->rsi, context->rdi,
                              context->r8,  context->r9,  context->r10, context->r11,
                              context->r12, context->r13, context->r14, context->r15};
  for (int i = 0; i < 16; ++i) fault->registers[i] = registers[i];
}

/* Skips the instruction, or gives the case up. */
static void on_signal(int signal, struct information* information, struct context* context) {
  overwrite_vectors();
  if (signal == kSigAlrm) return;
  enum { kTraced = 2 };
  if (signal == kSigTrap && information->code == kTraced && mode == 's') {
    note_step(context->rip);
    return;
  }
  if (!is_running) quit(3);
  if (result->faults < CASE_FAULTS) note_fault(information, context);
  ++result->faults;
  word next = (word)&leave_case;
  if (result->faults < kMaxFaults && is_in_case(context->rip)) {
    const word offset = context->rip - current->code;
    for (uint32_t i = 0; i < current->starts; ++i) {
      if (current->start[i] < offset || (current->start[i] == offset && signal != kSigTrap))
        continue;
      next = current->code + current->start[i];
      break;
    }
  } else if (context->rip == current->code + current->start[current->starts - 1]) {
    next = context->rip; /* a trap of the last instruction */
    if (signal != kSigTrap) next = (word)&leave_case;
  }
  if (signal == kSigTrap && mode == 's') ++result->steps; /* int3 is done */
  last_rip = next;
  context->rip = next;
  /* An instruction that is left out leaves flags as they are, dead or not. */
  context->rflags &= ~kArithmetic;
}

static word random_state;

static word next_random(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state;
}

static word hash(word start, const uint8_t* at, word size) {
  const word* words = (const word*)(const void*)at;
  for (word i = 0; i < size / 8; ++i) start = (start ^ words[i]) * 0x9e3779b97f4a7c15 ^ start >> 29;
  return start;
}

static void cpuid(uint32_t leaf, uint32_t part, uint32_t out[4]) {
  __asm__ volatile("cpuid"
                   : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
                   : "a"(leaf), "c"(part));
}

struct component {
  word offset, size;
};

/* Of the XSAVE area: nothing where the processor has no such registers. */
static struct component component(uint32_t number) {
  uint32_t low, high, out[4];
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  struct component none = {0, 0};
  if ((low >> number & 1) == 0) return none;
  cpuid(13, number, out);
  struct component found = {out[1], out[0]};
  return found;
}

static struct component avx, masks, upper_halves, upper_registers;

static word lane(uint8_t kind) {
  const word value = next_random();
  switch (kind) {
    case kCaseSmallDwords: return value & 0x0000003f0000003f;
    case kCaseSmallQwords: return value & 0x3f;
    case kCaseNumbers: /* floats and doubles of usual size */
      return (value & 0x807fffff807fffff) | 0x3f8000003f800000 | (value & 0x0180000001800000);
    default: return value;
  }
}

static void fill(uint8_t* at, word size, uint8_t kind) {
  for (word i = 0; i + 8 <= size; i += 8) *(word*)(void*)(at + i) = lane(kind);
}

static void set_vectors(void) {
  uint8_t* area = initial_vectors;
  for (int i = 0; i < 24; i += 8) *(word*)(void*)(area + i) = 0;
  *(uint16_t*)(void*)area = current->fcw;
  area[4] = 0xff; /* all of x87's registers hold something */
  *(uint32_t*)(void*)(area + 24) = current->mxcsr;
  *(uint32_t*)(void*)(area + 28) = 0xffff;
  for (int i = 0; i < 8; ++i) {
    const word exponent = next_random();
    *(word*)(void*)(area + 32 + 16 * i) = next_random() | (word)1 << 63;
    *(word*)(void*)(area + 40 + 16 * i) = (exponent & 0x8000) | (0x3ff0 + (exponent & 31));
  }
  fill(area + 160, 256, current->vectors);
  fill(area + avx.offset, avx.size, current->vectors);
  fill(area + masks.offset, masks.size, kCaseRandom);
  fill(area + upper_halves.offset, upper_halves.size, current->vectors);
  fill(area + upper_registers.offset, upper_registers.size, current->vectors);
  *(word*)(void*)(area + 512) |= 3 | (avx.size ? 4 : 0) | (masks.size ? 0xe0 : 0);
}

static word data_value(word i) {
  const word value = next_random();
  if ((i & 7) == 3) return value & 0x3f;
  if ((i & 7) == 5) return (value & 0x8000ffffffffffff) | 0x3ff0000000000000;
  return value;
}

static uint8_t* data_at(word place) {
  return (uint8_t*)(place + CASE_DATA);
}

static void note_memory(word place) {
  const word* words = (const word*)(void*)data_at(place);
  int noted = 0;
  result->memory = hash(result->memory, data_at(place), CASE_WRITABLE);
  while (noted < 4 && result->changed_address[noted] != 0) ++noted;
  for (word i = 0; i < CASE_WRITABLE / 8 && noted < 4; ++i) {
    if (words[i] == data_value(i)) continue;
    result->changed_address[noted] = (word)&words[i];
    result->changed_value[noted++] = words[i];
  }
}

static void fill_data(word place) {
  word* words = (word*)(void*)data_at(place);
  for (word i = 0; i < CASE_WRITABLE / 8; ++i) words[i] = data_value(i);
}

static void clear(void* at, word size) {
  for (word i = 0; i < size; i += 8) *(volatile word*)(void*)((uint8_t*)at + i) = 0;
}

static void execute(const struct instruction_case* which, struct case_result* into) {
  current = which;
  result = into;
  clear(result, sizeof *result);
  random_state = which->seed | 1;
  set_vectors();
  const word before_data = random_state;
  fill_data(CASE_LOW);
  fill_data(CASE_HIGH);
  for (int i = 0; i < which->pokes; ++i) *(word*)which->poke[i].address = which->poke[i].value;
  for (int i = 0; i < 16; ++i) initial[i] = which->registers[i];
  initial_flags = which->flags | (mode == 's' ? kTrace : 0);
  code_address = which->code;
  last_rip = 0;
  clear(final_vectors, upper_registers.offset + upper_registers.size + 1024);
  enum { kSetFs = 0x1002 };
  kernel(kArchPrctl, kSetFs, which->fs_base, 0);
  is_running = 1;
  run_case();
  is_running = 0;
  for (int i = 0; i < 16; ++i) result->registers[i] = final[i];
  result->flags = final_flags & ~kTrace;
  const uint8_t* area = final_vectors;
  /* Neither where the last x87 instruction was nor its opcode: both are of the engine's copy. */
  const word state[1] = {*(const word*)(const void*)area & 0xffffffffffff};
  result->x87 = hash(hash(1, (const uint8_t*)state, 8), area + 16, 8);
  for (int i = 0; i < 8; ++i) {
    const word top[1] = {*(const uint16_t*)(const void*)(area + 40 + 16 * i)};
    result->x87 = hash(hash(result->x87, area + 32 + 16 * i, 8), (const uint8_t*)top, 8);
  }
  result->sse = hash(hash(1, area + 24, 8), area + 160, 256);
  result->avx = hash(1, area + avx.offset, avx.size);
  result->masks = hash(1, area + masks.offset, masks.size);
  result->upper_halves = hash(1, area + upper_halves.offset, upper_halves.size);
  result->upper_registers = hash(1, area + upper_registers.offset, upper_registers.size);
  random_state = before_data;
  note_memory(CASE_LOW);
  note_memory(CASE_HIGH);
  current = 0;
}

static void write_all(const void* from, word size) {
  const uint8_t* at = from;
  while (size > 0) {
    const word written = kernel(kWrite, 1, (word)at, size);
    if ((int64_t)written <= 0) quit(4);
    at += written;
    size -= written;
  }
}

static word map(word place, word size, word protection, word file, word offset) {
  enum { kPrivate = 2, kFixed = 0x10, kAnonymous = 0x20 };
  const word flags = kPrivate | (place ? kFixed : 0) | (file == (word)-1 ? kAnonymous : 0);
  const word at = call_kernel(kMmap, place, size, protection, flags, file, offset);
  if (at > (word)-4096) quit(5);
  return at;
}

static void handle(word signal) {
  struct {
    word handler, flags, restorer, mask;
  } action = {(word)&on_signal, 0x04000000 | 0x08000000 | 4, (word)&restore_signal, ~(word)0};
  if (call_kernel(kSigaction, signal, (word)&action, 0, 8, 0, 0) != 0) quit(6);
}

static void prepare(const struct case_header* header, word file) {
  enum { kReadOnly = 1, kReadWrite = 3, kReadExecute = 5, kSeconds = 60 };
  map(CASE_LOW, header->low_size, kReadExecute, file, header->low_offset);
  map(CASE_HIGH, header->high_size, kReadExecute, file, header->high_offset);
  const word places[2] = {CASE_LOW, CASE_HIGH};
  for (int i = 0; i < 2; ++i) {
    const word data = (word)data_at(places[i]);
    map(data, CASE_READABLE, kReadWrite, (word)-1, 0);
    random_state = 77;
    fill((uint8_t*)data, CASE_READABLE, kCaseRandom);
    kernel(kMprotect, data + CASE_WRITABLE, CASE_PAGE, kReadOnly);
  }
  *(word*)map(CASE_WAY_OUT, CASE_PAGE, kReadWrite, (word)-1, 0) = (word)&leave_case;
  kernel(kMprotect, CASE_WAY_OUT, CASE_PAGE, kReadOnly);
  for (word i = 0; i < header->holes; ++i) kernel(kMunmap, header->hole[i], CASE_PAGE, 0);
  const word stack[3] = {(word)signal_stack, 0, sizeof signal_stack};
  kernel(kAltstack, (word)stack, 0, 0);
  const word limit[2] = {kSeconds, kSeconds}; /* should a case never end */
  kernel(kSetrlimit, 0, (word)limit, 0);
  const word signals[] = {kSigIll, kSigTrap, kSigBus, kSigFpe, kSigSegv, kSigAlrm};
  for (word i = 0; i < sizeof signals / sizeof signals[0]; ++i) handle(signals[i]);
  word processor = 1; /* whose number some instructions tell */
  kernel(kSetaffinity, 0, sizeof processor, (word)&processor);
  avx = component(2);
  masks = component(5);
  upper_halves = component(6);
  upper_registers = component(7);
  __asm__ volatile("xsave64 initial_vectors" : : "a"(-1), "d"(-1) : "memory");
}

void run_all(const word* stack) {
  if (stack[0] != 3) quit(2);
  mode = *(const char*)stack[3];
  const word file = kernel(kOpen, stack[2], 0, 0);
  const struct case_header* header = (const void*)map(0, sizeof *header, 1, file, 0);
  const word bytes = sizeof *header + header->cases * sizeof(struct instruction_case);
  const struct instruction_case* cases =
      (const void*)(map(0, bytes, 1, file, 0) + sizeof(struct case_header));
  prepare(header, file);
  const word every[4] = {0, 100, 0, 100};
  if (mode == 't') kernel(kSetitimer, 0, (word)every, 0);
  enum { kBatch = sizeof results / sizeof results[0] };
  for (word i = 0; i < header->cases; ++i) {
    execute(&cases[i], &results[i % kBatch]);
    if (i % kBatch == kBatch - 1 || i + 1 == header->cases)
      write_all(results, (i % kBatch + 1) * sizeof results[0]);
  }
  quit(0);
}
