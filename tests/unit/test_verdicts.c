/* test_verdicts.c: the bit set of Wireshark's verdicts (schema/verdicts.h).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "schema/verdicts.h"

#include <CUnit/Basic.h>
#include <string.h>

static void test_text(void)
{
    char text[VERDICT_TEXT_MAX];
    verdicts_text(0, text);
    CU_ASSERT_STRING_EQUAL(text, "");
    verdicts_text(VERDICT_RETRANSMISSION | VERDICT_FAST_RETRANSMISSION, text);
    CU_ASSERT_STRING_EQUAL(text, "retransmission,fast_retransmission");
    verdicts_text(VERDICT_MALFORMED, text);
    CU_ASSERT_STRING_EQUAL(text, "malformed");
}

/* All names at once fit, and each stands once. */
static void test_all(void)
{
    char text[VERDICT_TEXT_MAX];
    verdicts_text((1u << VERDICT_COUNT) - 1, text);
    unsigned commas = 0;
    for (const char *at = text; *at != '\0'; at++)
        commas += *at == ',';
    CU_ASSERT_EQUAL(commas, VERDICT_COUNT - 1);
    CU_ASSERT_STRING_EQUAL(text + strlen(text) - strlen("malformed"), "malformed");
}

/* What the design calls bad, and what it says is not. */
static void test_bad(void)
{
    CU_ASSERT_TRUE(VERDICTS_BAD & VERDICT_OUT_OF_ORDER);
    CU_ASSERT_TRUE(VERDICTS_BAD & VERDICT_LOST_SEGMENT);
    CU_ASSERT_TRUE(VERDICTS_BAD & VERDICT_MALFORMED);
    CU_ASSERT_FALSE(VERDICTS_BAD & VERDICT_WINDOW_UPDATE);
    CU_ASSERT_FALSE(VERDICTS_BAD & (VERDICT_KEEP_ALIVE | VERDICT_KEEP_ALIVE_ACK));
    CU_ASSERT_FALSE(VERDICTS_BAD & VERDICT_DUPLICATE_ACK);
    CU_ASSERT_EQUAL(VERDICTS_BAD & VERDICTS_RETRANSMISSION, VERDICTS_RETRANSMISSION);
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("verdicts", NULL, NULL);
    CU_ADD_TEST(suite, test_text);
    CU_ADD_TEST(suite, test_all);
    CU_ADD_TEST(suite, test_bad);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures > 0;
}
