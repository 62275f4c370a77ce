/* SPDX-License-Identifier: BSD-2-Clause */
/* drm/drm_print.h: included by the buddy of drivers/gpu, which prints with pr_info(). */
#ifndef TESTS_COMPAT_DRM_PRINT_H
#define TESTS_COMPAT_DRM_PRINT_H

#include <linux/kernel.h>

#endif
