import { at, complain, list, map, type Rule, text } from '../manifest.ts';
import { containerRule, podRule } from '../pods.ts';

/** Pod Security `restricted` and what the NSA guide, kube-linter and kube-score ask beyond it. */
export const podRules: readonly Rule[] = [
  containerRule('run-as-non-root', 'Pod Security restricted', ({ spec }, pod) => {
    const own = at(spec, 'securityContext.runAsNonRoot');
    return (own ?? at(pod.spec, 'securityContext.runAsNonRoot')) === true
      ? undefined
      : ['securityContext.runAsNonRoot', 'set it to true here or on the pod'];
  }),
  podRule('run-as-user', 'A number, so that the kubelet can prove it is not root', (pod, placed) =>
    at(pod.spec, 'securityContext.runAsUser') === 0
      ? [complain(placed, `${pod.path}.securityContext.runAsUser`, 'is root; name an unprivileged user')]
      : [],
  ),
  containerRule('seccomp', 'Pod Security restricted', ({ spec }, pod) => {
    const type = text(
      at(spec, 'securityContext.seccompProfile.type') ?? at(pod.spec, 'securityContext.seccompProfile.type'),
    );
    return ['RuntimeDefault', 'Localhost'].includes(type)
      ? undefined
      : ['securityContext.seccompProfile.type', 'set it to RuntimeDefault here or on the pod'];
  }),
  containerRule('no-escalation', 'Pod Security restricted', ({ spec }) =>
    at(spec, 'securityContext.allowPrivilegeEscalation') === false
      ? undefined
      : ['securityContext.allowPrivilegeEscalation', 'set it to false'],
  ),
  containerRule('not-privileged', 'Pod Security restricted', ({ spec }) =>
    at(spec, 'securityContext.privileged') === true
      ? [
          'securityContext.privileged',
          'a privileged container owns the node; ask a device plugin for the device instead',
        ]
      : undefined,
  ),
  containerRule('drop-all', 'Pod Security restricted', ({ spec }) =>
    list(at(spec, 'securityContext.capabilities.drop')).includes('ALL')
      ? undefined
      : ['securityContext.capabilities.drop', 'drop ALL'],
  ),
  containerRule('no-added-capabilities', 'Pod Security restricted', ({ spec }) => {
    const extra = list(at(spec, 'securityContext.capabilities.add')).filter((name) => name !== 'NET_BIND_SERVICE');
    return extra.length === 0 ? undefined : ['securityContext.capabilities.add', `adds ${extra.join(', ')}`];
  }),
  containerRule('read-only-root', 'What cannot be written cannot be replaced', ({ spec }) =>
    at(spec, 'securityContext.readOnlyRootFilesystem') === true
      ? undefined
      : ['securityContext.readOnlyRootFilesystem', 'set it to true and mount an emptyDir where it writes'],
  ),
  podRule('no-host-namespaces', 'Pod Security restricted', (pod, placed) =>
    ['hostNetwork', 'hostPID', 'hostIPC']
      .filter((key) => pod.spec[key] === true)
      .map((key) => complain(placed, `${pod.path}.${key}`, "shares the node's namespace; remove it")),
  ),
  podRule('no-host-path', 'Pod Security restricted', (pod, placed) =>
    list(pod.spec.volumes).flatMap((volume, index) =>
      map(volume).hostPath === undefined
        ? []
        : [complain(placed, `${pod.path}.volumes[${index}].hostPath`, 'mounts the node; use a claim or an emptyDir')],
    ),
  ),
  containerRule('no-host-port', 'Nothing listens on the node', ({ spec }) => {
    const index = list(spec.ports).findIndex((port) => map(port).hostPort !== undefined);
    return index < 0 ? undefined : [`ports[${index}].hostPort`, 'opens a port of the node; use a Service'];
  }),
  podRule('bounded-scratch', 'An emptyDir without a bound can fill the node', (pod, placed) =>
    list(pod.spec.volumes).flatMap((volume, index) => {
      const scratch = map(volume).emptyDir;
      return scratch !== undefined && map(scratch).sizeLimit === undefined
        ? [complain(placed, `${pod.path}.volumes[${index}].emptyDir.sizeLimit`, 'set a bound')]
        : [];
    }),
  ),
  podRule('own-account', 'The default account is everybody', (pod, placed) =>
    ['', 'default'].includes(text(pod.spec.serviceAccountName))
      ? [complain(placed, `${pod.path}.serviceAccountName`, 'name a ServiceAccount of its own')]
      : [],
  ),
  podRule('token-decided', 'An API token is only mounted where it is used', (pod, placed) =>
    typeof pod.spec.automountServiceAccountToken === 'boolean'
      ? []
      : [complain(placed, `${pod.path}.automountServiceAccountToken`, 'say false, or true where the API is used')],
  ),
  containerRule('requests', 'The scheduler and the budget count them', ({ spec }) => {
    const missing = ['cpu', 'memory'].find(
      (key) => at(spec, 'resources.requests') === undefined || map(at(spec, 'resources.requests'))[key] === undefined,
    );
    return missing === undefined ? undefined : [`resources.requests.${missing}`, 'say what it needs'];
  }),
  containerRule('memory-limit', 'One leak must not take the node', ({ spec }) =>
    at(spec, 'resources.limits.memory') === undefined ? ['resources.limits.memory', 'set a limit'] : undefined,
  ),
  containerRule('no-inline-secret', 'Values in the environment end up in Git', ({ spec }) => {
    const index = list(spec.env).findIndex((item) => {
      const { name, value } = map(item);
      return (
        /PASSWORD|TOKEN|SECRET|API_?KEY|PRIVATE/i.test(text(name)) && text(value) !== '' && !/_FILE$/.test(text(name))
      );
    });
    return index < 0 ? undefined : [`env[${index}].value`, 'is a secret in the open; use valueFrom.secretKeyRef'];
  }),
  containerRule('pull-policy', 'A pinned image never changes: no need to ask the registry at each start', ({ spec }) =>
    spec.imagePullPolicy === 'Always'
      ? ['imagePullPolicy', 'Always stops pods when the registry is away; remove it']
      : undefined,
  ),
];
