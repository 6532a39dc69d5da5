"""The scheduler: which Pod goes to which node.

One consideration more is a plugin: `Cluster(replace={"scheduler": partial(Scheduler, plugins=(*PLUGINS, Mine()))})`. A
scheduler of your own is any controller that binds Pods: `self.client.bind(pod, node)`, and `replace={"scheduler": Mine}`.
"""
