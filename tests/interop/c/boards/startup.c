/* Reset of a Cortex-M: floating point on, main, and the end by semihosting. */
#include <stdint.h>
#include <stdlib.h>

int main(void);
void initialise_monitor_handles(void);
extern uint32_t stack_top;

void reset(void)
{
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20;
    __asm volatile("dsb\nisb");
    initialise_monitor_handles();
    exit(main());
}

static void stop(void)
{
    exit(99); /* a fault */
}

__attribute__((section(".vectors"), used)) static void *const vectors[16] = {
    &stack_top, (void *)reset, (void *)stop, (void *)stop, (void *)stop, (void *)stop, (void *)stop,
};

void _init(void) {}
void _fini(void) {}
