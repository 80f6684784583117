/** Fri, 20 Nov 2026 12:00:00 GMT: the one `now` of the policy tests. */
export const NOW = Date.UTC(2026, 10, 20, 12, 0, 0);

/** An exchange that took no time at all, at `NOW`. */
export const exchange = { requestTime: NOW, responseTime: NOW };

/** IMF-fixdate of `NOW` plus seconds. */
export const httpDate = (seconds = 0): string => new Date(NOW + seconds * 1000).toUTCString();
