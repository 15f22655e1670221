/* exit_with CODE */
#include "argument.h"

int main(int argc, char** argv) {
  return (int)number_argument(argc, argv, 1, 0);
}
