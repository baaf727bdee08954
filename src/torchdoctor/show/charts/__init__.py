"""What is to be drawn, as options of Apache ECharts: plain JSON values. The library draws; nothing here is a chart."""
