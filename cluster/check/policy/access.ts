import { at, complain, list, map, objectRule, type Rule, text } from '../manifest.ts';

const ROLES = ['Role', 'ClusterRole'];
const DANGEROUS = ['escalate', 'bind', 'impersonate'];

const rules = (object: Parameters<typeof at>[0]) => list(at(object, 'rules')).map(map);

/** Who may do what: by name, never by star. */
export const accessRules: readonly Rule[] = [
  objectRule('no-wildcard', 'A star grants what does not exist yet', ROLES, (placed) =>
    rules(placed.object).flatMap((rule, index) =>
      ['apiGroups', 'resources', 'verbs']
        .filter((key) => list(rule[key]).includes('*'))
        .map((key) => complain(placed, `rules[${index}].${key}`, 'is "*"; name what is needed')),
    ),
  ),
  objectRule('no-escalation-verbs', 'Whoever may bind roles owns the cluster', ROLES, (placed) =>
    rules(placed.object).flatMap((rule, index) =>
      list(rule.verbs).some((verb) => DANGEROUS.includes(text(verb)))
        ? [
            complain(
              placed,
              `rules[${index}].verbs`,
              `grants ${list(rule.verbs)
                .filter((verb) => DANGEROUS.includes(text(verb)))
                .join(', ')}`,
            ),
          ]
        : [],
    ),
  ),
  objectRule('no-secret-reading', 'A role that lists Secrets reads every password of its scope', ROLES, (placed) =>
    rules(placed.object).flatMap((rule, index) =>
      list(rule.resources).includes('secrets') && list(rule.resourceNames).length === 0
        ? [
            complain(
              placed,
              `rules[${index}].resources`,
              'reaches all Secrets; name them in resourceNames or mount them',
            ),
          ]
        : [],
    ),
  ),
  objectRule('no-admin-binding', 'cluster-admin is for people', ['ClusterRoleBinding', 'RoleBinding'], (placed) =>
    ['cluster-admin', 'admin', 'edit'].includes(text(at(placed.object, 'roleRef.name')))
      ? [
          complain(
            placed,
            'roleRef.name',
            `binds ${text(at(placed.object, 'roleRef.name'))}; write a role with what is needed`,
          ),
        ]
      : [],
  ),
  objectRule('bridge-reads-only', 'The bridge watches rollouts and changes nothing', ['Role'], (placed) =>
    text(at(placed.object, 'metadata.name')) === 'bridge'
      ? rules(placed.object).flatMap((rule, index) =>
          list(rule.verbs).some((verb) => !['get', 'list', 'watch'].includes(text(verb)))
            ? [complain(placed, `rules[${index}].verbs`, 'only get, list and watch')]
            : [],
        )
      : [],
  ),
  objectRule(
    'account-token',
    'The pod decides whether a token is mounted, never the account',
    ['ServiceAccount'],
    (placed) =>
      placed.object.automountServiceAccountToken === false
        ? []
        : [
            complain(
              placed,
              'automountServiceAccountToken',
              'set it to false; a pod that needs the API says so itself',
            ),
          ],
  ),
];
